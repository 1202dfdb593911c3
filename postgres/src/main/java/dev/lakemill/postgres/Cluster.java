package dev.lakemill.postgres;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An embedded cluster before it runs: its programs, its user, its files, its passwords.
 *
 * <p>Everything here happens under the folder's lock, so that a step may assume that nobody else
 * takes it. Each step that makes something makes it beside its place and renames it, so that a
 * start after a crash in the middle finds it whole or not at all.
 */
final class Cluster {
    private static final Logger LOG = LoggerFactory.getLogger(Cluster.class);
    private static final Pattern VERSION = Pattern.compile("\\(PostgreSQL\\) (\\d+)");

    /** From 17 on, collations need neither ICU nor the C library. */
    private static final int BUILTIN_LOCALE_SINCE = 17;

    private static final String STATEMENTS = "pg_stat_statements";

    private final ClusterFiles files;
    private final RunAs runAs;
    private final Path binFolder;
    private final int port;

    private Cluster(ClusterFiles files, RunAs runAs, Path binFolder, int port) {
        this.files = files;
        this.runAs = runAs;
        this.binFolder = binFolder;
        this.port = port;
    }

    /** Makes the folder, or fails with FAILED_PRECONDITION. */
    static ClusterFiles makeFolder(Path folder) {
        try {
            Files.createDirectories(folder);
            Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
            Files.delete(Files.createTempFile(folder, "writable-", ""));
            return new ClusterFiles(folder);
        } catch (IOException e) {
            throw new LakemillException(
                    ErrorCode.FAILED_PRECONDITION,
                    "the Postgres folder %s cannot be written: %s".formatted(folder, e),
                    "give this user write access to it, or set another data folder",
                    e);
        }
    }

    /** Brings the cluster to where its server can be started. The caller holds the lock. */
    static Cluster prepare(PostgresConfig config, ClusterFiles files) throws IOException {
        var runAs = RunAs.choose(config.systemUser(), files.folder());
        Orphans.end(files);
        var given = config.binFolder();
        var binFolder = given != null ? given : Binaries.unpack(files.folder().resolve("binaries"));
        var port = config.port() == 0 ? freePort() : config.port();
        var cluster = new Cluster(files, runAs, binFolder, port);
        cluster.checkPort();
        cluster.makeData();
        for (var folder : List.of(files.log(), files.run(), files.walOut())) {
            Files.createDirectories(folder);
            Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx------"));
            runAs.own(folder);
        }
        var libraries = cluster.hasStatements() ? STATEMENTS : "";
        files.writeSettings(config, port, runAs.peerName(), libraries);
        if (config.recovery() != null) {
            cluster.prepareRecovery();
        }
        cluster.repairOwnerPassword();
        return cluster;
    }

    /** Whether an archive is replayed first, for as long as that takes. */
    boolean isRecovering() {
        return Files.exists(files.data().resolve("recovery.signal"));
    }

    int port() {
        return port;
    }

    ClusterFiles files() {
        return files;
    }

    String ownerPassword() throws IOException {
        return Secret.read(files.ownerSecret()).orElseThrow();
    }

    /**
     * Starts the server, once nothing of a former one is left; it dies with the thread that calls
     * this.
     */
    Process startServer() throws IOException {
        Orphans.end(files);
        return builder(files.serverCommand(binFolder))
                .redirectOutput(files.startupLog().toFile())
                .start();
    }

    /** Postgres looks for the archive's files when it finds this one, and removes it at the end. */
    private void prepareRecovery() throws IOException {
        runAs.own(files.walIn());
        var signal = files.data().resolve("recovery.signal");
        Files.write(signal, new byte[0]);
        runAs.own(signal);
    }

    /** Whether the programs come with the library that counts statements. */
    private boolean hasStatements() {
        var home = binFolder.toAbsolutePath().getParent();
        return home != null
                && Stream.of("lib", "lib/postgresql", "lib64")
                        .map(home::resolve)
                        .anyMatch(lib -> Files.exists(lib.resolve(STATEMENTS + ".so")));
    }

    private void makeData() throws IOException {
        var major = majorVersion();
        if (Files.exists(files.data())) {
            checkDataVersion(major);
            runAs.own(files.data());
            return;
        }
        LOG.info("making a Postgres {} cluster in {}", major, files.data());
        var unfinished = files.folder().resolve("data.unfinished");
        Folders.delete(unfinished);
        Files.createDirectory(unfinished);
        runAs.own(unfinished);
        initialize(unfinished, major);
        Files.move(unfinished, files.data());
    }

    private void initialize(Path folder, int major) throws IOException {
        var password = files.folder().resolve("initdb.password");
        Secret.write(password, Secret.write(files.ownerSecret(), Secret.random()));
        runAs.own(password);
        var command =
                new ArrayList<>(
                        List.of(
                                binFolder.resolve("initdb").toString(),
                                "--pgdata=" + folder,
                                "--username=" + Roles.OWNER,
                                "--pwfile=" + password,
                                "--auth-local=peer",
                                "--auth-host=scram-sha-256",
                                "--encoding=UTF8",
                                "--locale=C",
                                "--no-instructions"));
        if (major >= BUILTIN_LOCALE_SINCE) {
            command.addAll(List.of("--locale-provider=builtin", "--builtin-locale=C.UTF-8"));
        }
        try {
            run(command, "");
        } finally {
            Files.delete(password);
        }
    }

    private int majorVersion() throws IOException {
        var program = binFolder.resolve("postgres");
        if (!Files.isExecutable(program)) {
            throw new LakemillException(
                    ErrorCode.FAILED_PRECONDITION,
                    "there is no Postgres program %s".formatted(program),
                    "set postgres.bin to the folder with postgres and initdb");
        }
        var answer = run(List.of(program.toString(), "--version"), "");
        var version = VERSION.matcher(answer);
        var major = version.find() ? Integer.parseInt(version.group(1)) : 0;
        if (major < Roles.VERSION_MIN) {
            throw new LakemillException(
                    ErrorCode.FAILED_PRECONDITION,
                    "%s is '%s'; Lakemill needs Postgres %d or newer"
                            .formatted(program, answer.strip(), Roles.VERSION_MIN),
                    "set postgres.bin to a newer one, or leave it out");
        }
        return major;
    }

    private void checkDataVersion(int major) throws IOException {
        var version = Files.readString(files.data().resolve("PG_VERSION")).strip();
        if (!version.equals(Integer.toString(major))) {
            throw new LakemillException(
                    ErrorCode.FAILED_PRECONDITION,
                    "the data in %s are of Postgres %s, the programs in %s of Postgres %d"
                            .formatted(files.data(), version, binFolder, major),
                    "set postgres.bin to a Postgres %s, or upgrade the data with pg_upgrade"
                            .formatted(version));
        }
    }

    /** A lost password file costs nothing: single-user mode needs no password to set a new one. */
    private void repairOwnerPassword() throws IOException {
        if (Secret.read(files.ownerSecret()).isPresent()) {
            return;
        }
        LOG.warn("{} is missing: setting a new password", files.ownerSecret());
        var command = new ArrayList<>(files.serverCommand(binFolder));
        command.add(1, "--single");
        command.add("postgres");
        var password = Secret.random();
        run(command, "ALTER ROLE %s PASSWORD '%s'\n".formatted(Roles.OWNER, password));
        Secret.write(files.ownerSecret(), password);
    }

    private void checkPort() {
        try (var probe = new ServerSocket()) {
            probe.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        } catch (IOException e) {
            throw new LakemillException(
                    ErrorCode.FAILED_PRECONDITION,
                    "port %d on 127.0.0.1, which Postgres is to have, is taken".formatted(port),
                    "stop the program that has it, or set postgres.port to another port",
                    e);
        }
    }

    private static int freePort() throws IOException {
        try (var probe = new ServerSocket()) {
            probe.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            return probe.getLocalPort();
        }
    }

    /** Runs a program to its end and returns what it said. */
    private String run(List<String> command, String input) throws IOException {
        var process = builder(command).start();
        try (var stdin = process.getOutputStream()) {
            stdin.write(input.getBytes(StandardCharsets.UTF_8));
        }
        var said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        try {
            if (process.waitFor() == 0) {
                return said;
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
        throw new LakemillException(
                ErrorCode.FAILED_PRECONDITION,
                "%s failed: %s".formatted(Path.of(command.getFirst()).getFileName(), said.strip()),
                "see what it says; disk full and missing rights are the usual causes");
    }

    private ProcessBuilder builder(List<String> command) {
        var builder =
                new ProcessBuilder(runAs.command(command))
                        .directory(files.folder().toFile())
                        .redirectErrorStream(true);
        builder.environment().keySet().removeIf(name -> name.startsWith("PG"));
        // The node's own, for DuckDB's planner; a session that sorts would keep its memory.
        builder.environment().remove("GLIBC_TUNABLES");
        builder.environment().put("LC_ALL", "C");
        builder.environment().put("TZ", "UTC");
        return builder;
    }
}
