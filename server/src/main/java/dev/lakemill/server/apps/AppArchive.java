package dev.lakemill.server.apps;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.TreeMap;
import org.apache.commons.compress.archivers.ArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.apache.commons.compress.archivers.zip.ZipFile;
import org.apache.commons.compress.compressors.gzip.GzipCompressorInputStream;

/**
 * Unpacks what somebody uploaded, and trusts nothing of it: only folders and plain files, with
 * names below the target, within limits that count what comes out and not what the archive says.
 */
final class AppArchive {
    static final long UPLOAD_BYTES_MAX = 256L << 20;

    /** What one upload may hold. */
    record Limits(int filesMax, long fileBytesMax, long totalBytesMax) {
        static final Limits INITIAL = new Limits(20_000, 128L << 20, 1L << 30);
    }

    private static final int PATH_CHARS_MAX = 512;
    private static final int DEPTH_MAX = 32;

    /**
     * What came out.
     *
     * @param digest of names and content, the same for the same app however it was packed
     */
    record Unpacked(int files, long bytes, String digest) {}

    private final Path target;
    private final Limits limits;
    private final TreeMap<String, String> digests = new TreeMap<>();
    private final byte[] buffer = new byte[1 << 16];
    private long bytes;
    private int entries;

    private AppArchive(Path target, Limits limits) {
        this.target = target;
        this.limits = limits;
    }

    /**
     * @param target exists and is empty; what is in it after a failure is for the caller to remove
     * @throws LakemillException INVALID_ARGUMENT for what is no such archive, or tries tricks;
     *     RESOURCE_EXHAUSTED beyond a limit
     */
    static Unpacked unpack(Path archive, Path target, Limits limits) {
        var mine = new AppArchive(target, limits);
        try (var head = Files.newInputStream(archive)) {
            var magic = head.readNBytes(2);
            if (magic.length == 2 && magic[0] == 'P' && magic[1] == 'K') {
                mine.zip(archive);
            } else if (magic.length == 2 && magic[0] == (byte) 0x1f && magic[1] == (byte) 0x8b) {
                mine.tar(archive);
            } else {
                throw Problems.invalid(
                        "the upload is neither .tar.gz nor .zip",
                        "'./lakemill app deploy DIR' packs a folder");
            }
        } catch (IOException | IllegalArgumentException e) {
            throw Problems.invalid(
                    "the archive cannot be unpacked: " + e.getMessage(), "pack it again");
        }
        if (mine.digests.isEmpty()) {
            throw Problems.invalid("the archive has no files", "pack the app's folder");
        }
        return new Unpacked(mine.digests.size(), mine.bytes, mine.digest());
    }

    private void tar(Path archive) throws IOException {
        try (var in =
                new TarArchiveInputStream(
                        GzipCompressorInputStream.builder()
                                .setInputStream(
                                        new BufferedInputStream(Files.newInputStream(archive)))
                                .setDecompressConcatenated(true)
                                .get())) {
            for (var entry = in.getNextEntry(); entry != null; entry = in.getNextEntry()) {
                var plain = isPlain(entry);
                accept(entry, plain, (entry.getMode() & 0111) != 0, in);
            }
        }
    }

    private static boolean isPlain(TarArchiveEntry entry) {
        return (entry.getLinkFlag() == TarConstants.LF_NORMAL
                        || entry.getLinkFlag() == TarConstants.LF_OLDNORM)
                && !entry.isSparse();
    }

    private void zip(Path archive) throws IOException {
        try (var zip = ZipFile.builder().setPath(archive).get()) {
            var all = zip.getEntriesInPhysicalOrder();
            while (all.hasMoreElements()) {
                var entry = all.nextElement();
                var type = entry.getUnixMode() & 0170000;
                var plain = !entry.isUnixSymlink() && (type == 0 || type == 0100000);
                if (entry.isDirectory()) {
                    accept(entry, false, false, InputStream.nullInputStream());
                } else {
                    try (var in = zip.getInputStream(entry)) {
                        accept(entry, plain, (entry.getUnixMode() & 0111) != 0, in);
                    }
                }
            }
        }
    }

    private void accept(ArchiveEntry entry, boolean plain, boolean executable, InputStream in)
            throws IOException {
        if (++entries > limits.filesMax()) {
            throw exhausted("more than %d files".formatted(limits.filesMax()));
        }
        var name = name(entry.getName());
        if (entry.isDirectory()) {
            Files.createDirectories(target.resolve(name));
            return;
        }
        if (!plain) {
            throw Problems.invalid(
                    "'%s' is a link or a device".formatted(shown(entry.getName())),
                    "an app is folders and plain files; copy what a link points to");
        }
        var path = target.resolve(name);
        if (!path.startsWith(target) || path.equals(target)) {
            throw trick(entry.getName());
        }
        Files.createDirectories(path.getParent());
        if (Files.exists(path, java.nio.file.LinkOption.NOFOLLOW_LINKS)) {
            throw Problems.invalid(
                    "'%s' is in the archive twice".formatted(shown(name)), "pack it again");
        }
        write(name, path, in);
        if (executable && !path.toFile().setExecutable(true, false)) {
            throw new IOException("cannot make %s executable".formatted(name));
        }
    }

    /** As a path of plain names, joined by slashes; empty for the folder itself. */
    private static String name(String raw) {
        if (raw.length() > PATH_CHARS_MAX
                || raw.startsWith("/")
                || raw.chars().anyMatch(c -> c < 0x20 || c == '\\' || c == 0x7f)) {
            throw trick(raw);
        }
        var parts = new java.util.ArrayList<String>();
        for (var part : raw.split("/", -1)) {
            if (part.equals("..")) {
                throw trick(raw);
            }
            if (!part.isEmpty() && !part.equals(".")) {
                parts.add(part);
            }
        }
        if (parts.size() > DEPTH_MAX) {
            throw trick(raw);
        }
        return String.join("/", parts);
    }

    private void write(String name, Path path, InputStream in) throws IOException {
        var sha = sha256();
        var size = 0L;
        try (OutputStream out = new DigestOutputStream(Files.newOutputStream(path), sha)) {
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                size += read;
                bytes += read;
                if (size > limits.fileBytesMax()) {
                    throw exhausted(
                            "'%s', larger than %d MB"
                                    .formatted(shown(name), limits.fileBytesMax() >> 20));
                }
                if (bytes > limits.totalBytesMax()) {
                    throw exhausted("more than %d MB".formatted(limits.totalBytesMax() >> 20));
                }
                out.write(buffer, 0, read);
            }
        }
        digests.put(name, HexFormat.of().formatHex(sha.digest()));
    }

    private String digest() {
        var all = sha256();
        digests.forEach(
                (name, digest) ->
                        all.update(
                                (name + "\0" + digest + "\n")
                                        .getBytes(java.nio.charset.StandardCharsets.UTF_8)));
        return HexFormat.of().formatHex(all.digest());
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static LakemillException trick(String raw) {
        return Problems.invalid(
                "'%s' is no path of an app".formatted(shown(raw)),
                "paths are relative, have no '..', no backslashes, and at most %d characters"
                        .formatted(PATH_CHARS_MAX));
    }

    private static LakemillException exhausted(String what) {
        return new LakemillException(
                ErrorCode.RESOURCE_EXHAUSTED,
                "the app has " + what,
                "leave out what it does not need to run, for example node_modules/.cache");
    }

    private static String shown(String name) {
        var clean = name.replaceAll("\\p{Cntrl}", "?");
        return clean.length() <= 80 ? clean : clean.substring(0, 80) + "…";
    }
}
