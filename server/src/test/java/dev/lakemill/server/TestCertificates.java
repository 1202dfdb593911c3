package dev.lakemill.server;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** An authority and a server's certificate for localhost that it signed, by the JDK's keytool. */
record TestCertificates(Path authority, Path certificate, Path key) {
    private static final String PASSWORD = "secret";

    static TestCertificates make(Path folder) throws Exception {
        var store = folder.resolve("tls.p12");
        keytool(
                store,
                "-genkeypair",
                "-alias",
                "ca",
                "-keyalg",
                "EC",
                "-dname",
                "CN=authority",
                "-ext",
                "bc:c",
                "-validity",
                "30");
        keytool(
                store,
                "-genkeypair",
                "-alias",
                "server",
                "-keyalg",
                "EC",
                "-dname",
                "CN=server",
                "-signer",
                "ca",
                "-ext",
                "SAN=ip:127.0.0.1,dns:localhost",
                "-validity",
                "30");
        var keys = KeyStore.getInstance("PKCS12");
        try (var in = Files.newInputStream(store)) {
            keys.load(in, PASSWORD.toCharArray());
        }
        return new TestCertificates(
                pem(folder, "ca.pem", "CERTIFICATE", keys.getCertificate("ca").getEncoded()),
                pem(
                        folder,
                        "server.pem",
                        "CERTIFICATE",
                        keys.getCertificate("server").getEncoded()),
                pem(
                        folder,
                        "server.key",
                        "PRIVATE KEY",
                        keys.getKey("server", PASSWORD.toCharArray()).getEncoded()));
    }

    private static void keytool(Path store, String... arguments) throws Exception {
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
        command.addAll(List.of(arguments));
        command.addAll(List.of("-storetype", "PKCS12", "-storepass", PASSWORD));
        command.addAll(List.of("-keystore", store.toString()));
        var process = new ProcessBuilder(command).inheritIO().start();
        if (!process.waitFor(60, TimeUnit.SECONDS) || process.exitValue() != 0) {
            throw new AssertionError("keytool failed");
        }
    }

    private static Path pem(Path folder, String name, String what, byte[] bytes)
            throws IOException {
        var text = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(bytes);
        var file = folder.resolve(name);
        Files.writeString(
                file, "-----BEGIN %s-----\n%s\n-----END %s-----\n".formatted(what, text, what));
        return file;
    }
}
