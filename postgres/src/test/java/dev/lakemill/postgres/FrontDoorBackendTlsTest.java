package dev.lakemill.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.types.LakemillException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.sql.DriverManager;
import java.sql.SQLException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A Postgres of one's own that speaks TLS, with {@code sslmode=verify-full} in its URL. */
final class FrontDoorBackendTlsTest {
    @TempDir Path folder;

    @Test
    void theDoorReachesAPostgresWhoseCertificateItVerifiesAndNoOther() throws Exception {
        TestFolders.open(folder);
        var certificate = certificate("one");
        var other = certificate("other");
        try (var host = Postgres.start(PostgresConfig.embedded(folder.resolve("pg"), 0))) {
            speakTls(host, certificate);
            var url =
                    "jdbc:postgresql://localhost:%d/own?user=own&sslmode=verify-full&sslrootcert=";
            var right = url.formatted(host.port()) + certificate;
            try (var own = start(right, "own");
                    var door =
                            TestDoor.open(
                                    own.behindDoor(),
                                    folder.resolve("certificate-one"),
                                    FrontDoorLimits.of(5),
                                    false)) {
                try (var connection = own.ownerUnpooled().getConnection()) {
                    TestGovernance.execute(connection, "CREATE ROLE ann LOGIN");
                }
                var through =
                        "jdbc:postgresql://127.0.0.1:%d/own?sslmode=require"
                                .formatted(door.door.port());
                try (var connection =
                        DriverManager.getConnection(through, "ann", door.token("ann"))) {
                    assertThat(
                                    TestDoor.ask(
                                            connection,
                                            "SELECT ssl FROM pg_stat_ssl"
                                                    + " WHERE pid = pg_backend_pid()"))
                            .isEqualTo("t");
                }
            }
            var wrong = url.formatted(host.port()) + other;
            assertThatThrownBy(() -> start(wrong, "wrong")).isInstanceOf(LakemillException.class);
        }
    }

    private Postgres start(String url, String name) {
        return Postgres.start(new PostgresConfig(url, folder.resolve(name), null, 0, "", 0));
    }

    /** Its file, with the key beside it. */
    private Path certificate(String name) throws Exception {
        var own = Files.createDirectories(folder.resolve("certificate-" + name));
        FrontDoorTls.context(FrontDoorConfig.local(own, 0, 5));
        return own.resolve("door.crt");
    }

    private void speakTls(Postgres host, Path certificate) throws Exception {
        var data = folder.resolve("pg/data");
        for (var name : new String[] {"door.crt", "door.key"}) {
            var copy = data.resolve(name);
            Files.copy(certificate.resolveSibling(name), copy, StandardCopyOption.COPY_ATTRIBUTES);
            Files.setOwner(copy, Files.getOwner(data));
        }
        Files.writeString(
                folder.resolve("pg/pg_hba.conf"),
                "hostssl own own 127.0.0.1/32 trust\nhostssl own all 127.0.0.1/32 scram-sha-256\n",
                StandardOpenOption.APPEND);
        set(host);
    }

    private static void set(Postgres host) throws SQLException {
        try (var connection = host.ownerUnpooled().getConnection()) {
            TestGovernance.execute(
                    connection,
                    "CREATE ROLE own LOGIN SUPERUSER",
                    "CREATE DATABASE own OWNER own",
                    "ALTER SYSTEM SET ssl_cert_file = 'door.crt'",
                    "ALTER SYSTEM SET ssl_key_file = 'door.key'",
                    "ALTER SYSTEM SET ssl = on",
                    "SELECT pg_reload_conf()");
        }
    }
}
