package dev.lakemill.server;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.tukaani.xz.XZInputStream;

/** A Postgres server of another version, as somebody runs it who has one already. */
final class OtherPostgres implements AutoCloseable {
    /** Nobody, on every Linux: Postgres does not run as root. */
    private static final int USER = 65_534;

    private static final String SUPERUSER = "boss";

    private final Path folder;
    private final int port;
    private final Process server;

    /**
     * @param version 15, 16 or 17
     * @param folder one that anybody may enter
     */
    OtherPostgres(int version, Path folder) throws Exception {
        this.folder = folder;
        unpack(version);
        open(Files.createDirectories(folder.resolve("home")));
        if (isRoot()) {
            Files.setAttribute(folder.resolve("home"), "unix:uid", USER);
        }
        var data = folder.resolve("home").resolve("data").toString();
        var init = run("initdb", "-D", data, "-U", SUPERUSER, "-E", "UTF8", "--locale=C");
        if (init.waitFor() != 0) {
            throw new IOException(Files.readString(folder.resolve("initdb.log")));
        }
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = socket.getLocalPort();
        }
        server =
                run(
                        "postgres",
                        "-D",
                        data,
                        "-p",
                        Integer.toString(port),
                        "-c",
                        "listen_addresses=127.0.0.1",
                        "-c",
                        "unix_socket_directories=",
                        "-c",
                        "wal_level=logical");
        TestNode.await(this::answers);
    }

    private void unpack(int version) throws IOException {
        var jar =
                Path.of(System.getProperty("lakemill.root"))
                        .resolve("server/target/postgres/%d.jar".formatted(version));
        var inside = URI.create("jar:" + jar.toUri());
        try (var files = FileSystems.newFileSystem(inside, Map.of());
                var names = Files.newDirectoryStream(files.getPath("/"), "*.txz");
                var tar =
                        new TarArchiveInputStream(
                                new XZInputStream(
                                        new BufferedInputStream(
                                                Files.newInputStream(names.iterator().next()))))) {
            for (var entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                var target = folder.resolve(entry.getName()).normalize();
                if (entry.isDirectory()) {
                    open(Files.createDirectories(target));
                } else if (entry.isSymbolicLink()) {
                    Files.createSymbolicLink(target, Path.of(entry.getLinkName()));
                } else {
                    open(Files.createDirectories(target.getParent()));
                    Files.copy(tar, target);
                    open(target);
                }
            }
        }
    }

    private static void open(Path path) throws IOException {
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private static boolean isRoot() {
        return System.getProperty("user.name").equals("root");
    }

    /** It ends with the thread that starts it. */
    private Process run(String program, String... arguments) throws IOException {
        var command = new ArrayList<>(List.of("setpriv", "--pdeathsig", "INT"));
        if (isRoot()) {
            command.addAll(List.of("--reuid=" + USER, "--regid=" + USER, "--clear-groups"));
        }
        command.addAll(List.of("--", folder.resolve("bin").resolve(program).toString()));
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve(program + ".log").toFile())
                .start();
    }

    private boolean answers() {
        try {
            execute("postgres", "SELECT 1");
            return true;
        } catch (SQLException e) {
            return false;
        }
    }

    /** As a superuser. */
    void execute(String database, String sql) throws SQLException {
        try (var connection = DriverManager.getConnection(url(database, SUPERUSER));
                var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    /** The first column of the first row, as a superuser. */
    String ask(String database, String sql) throws SQLException {
        try (var connection = DriverManager.getConnection(url(database, SUPERUSER));
                var statement = connection.createStatement();
                var rows = statement.executeQuery(sql)) {
            return rows.next() ? String.valueOf(rows.getString(1)) : "";
        }
    }

    /** With what a password is asked for: nothing, here. */
    String url(String database, String user) {
        return "jdbc:postgresql://127.0.0.1:%d/%s?user=%s&password=x"
                .formatted(port, database, user);
    }

    int port() {
        return port;
    }

    @Override
    public void close() {
        server.destroy();
        try {
            server.waitFor(20, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
