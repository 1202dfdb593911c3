package dev.lakemill.postgres;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The door's certificate: one that was given, or one that signs itself, made by the JDK's keytool
 * at the first start and again a month before it ends.
 */
final class FrontDoorTls {
    private static final Logger log = LoggerFactory.getLogger(FrontDoorTls.class);

    /** The name by which clients that begin with TLS at once say that they mean Postgres. */
    static final String ALPN = "postgresql";

    private static final Duration LIFE_LEFT_MIN = Duration.ofDays(30);
    private static final int LIFE_DAYS = 3650;
    private static final String ALIAS = "door";

    private FrontDoorTls() {}

    static SslContext context(FrontDoorConfig config) {
        var certificate = config.certificate();
        var key = config.key();
        try {
            if (certificate == null || key == null) {
                certificate = config.folder().resolve("door.crt");
                key = config.folder().resolve("door.key");
                ensureOwn(certificate, key);
            }
            return SslContextBuilder.forServer(certificate.toFile(), key.toFile())
                    .sslProvider(SslProvider.JDK)
                    .protocols("TLSv1.3", "TLSv1.2")
                    .applicationProtocolConfig(
                            new ApplicationProtocolConfig(
                                    ApplicationProtocolConfig.Protocol.ALPN,
                                    ApplicationProtocolConfig.SelectorFailureBehavior.NO_ADVERTISE,
                                    ApplicationProtocolConfig.SelectedListenerFailureBehavior
                                            .ACCEPT,
                                    ALPN))
                    .build();
        } catch (IOException | GeneralSecurityException | IllegalArgumentException e) {
            throw new LakemillException(
                    ErrorCode.FAILED_PRECONDITION,
                    "the certificate %s with the key %s cannot be used: %s"
                            .formatted(certificate, key, e.getMessage()),
                    "give PEM files: the chain, and its private key as PKCS #8 without a password",
                    e);
        }
    }

    private static void ensureOwn(Path certificate, Path key)
            throws IOException, GeneralSecurityException {
        if (Files.exists(certificate) && Files.exists(key)) {
            var end = read(certificate).getNotAfter().toInstant();
            if (end.isAfter(Instant.now().plus(LIFE_LEFT_MIN))) {
                return;
            }
        }
        log.info("making a certificate for the front door: {}", certificate);
        var folder = Files.createTempDirectory("lakemill-door-");
        var store = folder.resolve("store");
        var password = Secret.random();
        try {
            keytool(store, password);
            var keys = KeyStore.getInstance("PKCS12");
            try (InputStream in = Files.newInputStream(store)) {
                keys.load(in, password.toCharArray());
            }
            var secret = keys.getKey(ALIAS, password.toCharArray());
            Secret.write(key, pem("PRIVATE KEY", secret.getEncoded()));
            Files.writeString(
                    certificate, pem("CERTIFICATE", keys.getCertificate(ALIAS).getEncoded()));
        } finally {
            Files.deleteIfExists(store);
            Files.delete(folder);
        }
    }

    private static X509Certificate read(Path file) throws IOException, GeneralSecurityException {
        try (var in = Files.newInputStream(file)) {
            return (X509Certificate)
                    CertificateFactory.getInstance("X.509").generateCertificate(in);
        }
    }

    private static void keytool(Path store, String password) throws IOException {
        var program = Path.of(System.getProperty("java.home"), "bin", "keytool");
        var command = new ArrayList<>(List.of(program.toString(), "-genkeypair", "-alias", ALIAS));
        command.addAll(List.of("-keyalg", "EC", "-groupname", "secp256r1"));
        command.addAll(List.of("-sigalg", "SHA256withECDSA", "-dname", "CN=lakemill"));
        command.addAll(List.of("-validity", Integer.toString(LIFE_DAYS), "-ext", "bc=ca:true"));
        command.addAll(List.of("-ext", "san=" + names(), "-storetype", "PKCS12"));
        command.addAll(List.of("-keystore", store.toString(), "-storepass:env", "STORE_PASSWORD"));
        var builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("STORE_PASSWORD", password);
        var process = builder.start();
        var said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        try {
            if (process.waitFor() != 0) {
                throw new IOException("keytool failed: " + said.strip());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while keytool ran", e);
        }
    }

    private static String names() {
        var names = "dns:localhost,ip:127.0.0.1,ip:0:0:0:0:0:0:0:1";
        try {
            var host = InetAddress.getLocalHost().getHostName();
            return host.matches("[A-Za-z][A-Za-z0-9.-]*") && !host.equals("localhost")
                    ? names + ",dns:" + host
                    : names;
        } catch (UnknownHostException _) {
            return names;
        }
    }

    private static String pem(String what, byte[] bytes) {
        return "-----BEGIN %1$s-----\n%2$s\n-----END %1$s-----\n"
                .formatted(
                        what, Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(bytes));
    }
}
