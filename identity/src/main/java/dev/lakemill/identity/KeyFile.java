package dev.lakemill.identity;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * A file of mode 0600 with 32 random bytes, by which secrets are sealed before Postgres gets them,
 * so that a dump of the database does not let anybody make tokens.
 *
 * <p>Sealed by AES-256-GCM: 12 bytes of nonce, then what was sealed with its tag.
 */
final class KeyFile {
    private static final int KEY_BYTES = 32;
    private static final int NONCE_BYTES = 12;
    private static final int TAG_BITS = 128;

    private final SecretKeySpec key;
    private final SecureRandom random;

    private KeyFile(byte[] key, SecureRandom random) {
        this.key = new SecretKeySpec(key, "AES");
        this.random = random;
    }

    /** Reads the file; makes it where there is none. */
    static KeyFile open(Path file, SecureRandom random) {
        try {
            if (!Files.exists(file)) {
                create(file, random);
            }
            var open = PosixFilePermissions.fromString("---rwxrwx");
            if (Files.getPosixFilePermissions(file).stream().anyMatch(open::contains)) {
                throw new LakemillException(
                        ErrorCode.FAILED_PRECONDITION,
                        "others may read the key file " + file,
                        "chmod 600 it; if others could have read it, delete it instead: all"
                                + " tokens end then");
            }
            var bytes = Files.readAllBytes(file);
            if (bytes.length != KEY_BYTES) {
                throw new LakemillException(
                        ErrorCode.DATA_LOSS,
                        "the key file %s has %d bytes".formatted(file, bytes.length),
                        "restore it, or delete it: all tokens end then, and nothing else is lost");
            }
            return new KeyFile(bytes, random);
        } catch (IOException e) {
            throw new LakemillException(
                    ErrorCode.UNAVAILABLE,
                    "cannot read or make the key file %s (%s)".formatted(file, e),
                    "check the data folder's permissions and free space",
                    e);
        }
    }

    private static void create(Path file, SecureRandom random) throws IOException {
        var bytes = new byte[KEY_BYTES];
        random.nextBytes(bytes);
        var temporary = file.resolveSibling(file.getFileName() + ".new");
        Files.deleteIfExists(temporary);
        Files.createFile(
                temporary,
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.write(temporary, bytes);
        Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
    }

    /**
     * @param name of what is sealed; it opens under the same name alone
     */
    byte[] seal(String name, byte[] secret) {
        var nonce = new byte[NONCE_BYTES];
        random.nextBytes(nonce);
        try {
            var sealed = cipher(Cipher.ENCRYPT_MODE, name, nonce).doFinal(secret);
            return ByteBuffer.allocate(nonce.length + sealed.length).put(nonce).put(sealed).array();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Throws when it was sealed by another file, under another name, or was changed. */
    byte[] unseal(String name, byte[] sealed) throws GeneralSecurityException {
        if (sealed.length < NONCE_BYTES) {
            throw new GeneralSecurityException("too short");
        }
        var nonce = ByteBuffer.wrap(sealed, 0, NONCE_BYTES);
        var bytes = new byte[NONCE_BYTES];
        nonce.get(bytes);
        return cipher(Cipher.DECRYPT_MODE, name, bytes)
                .doFinal(sealed, NONCE_BYTES, sealed.length - NONCE_BYTES);
    }

    private Cipher cipher(int mode, String name, byte[] nonce) throws GeneralSecurityException {
        var cipher = Cipher.getInstance("AES/GCM/NoPadding");
        cipher.init(mode, key, new GCMParameterSpec(TAG_BITS, nonce));
        cipher.updateAAD(name.getBytes(StandardCharsets.UTF_8));
        return cipher;
    }
}
