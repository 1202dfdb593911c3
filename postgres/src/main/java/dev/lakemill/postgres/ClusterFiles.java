package dev.lakemill.postgres;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;

/**
 * The files that an embedded cluster is made of, and those of its settings that are ours.
 *
 * <pre>
 * lock              held by the Lakemill process that owns the folder
 * data/             Postgres's own files, its user's
 * log/              its log, one file per weekday
 * run/              its Unix socket
 * binaries/         the unpacked programs
 * *.secret          passwords, mode 0600
 * postgresql.conf, pg_hba.conf, pg_ident.conf    written anew at each start
 * custom.conf       optional, yours: read first, so that what keeps data safe cannot be undone
 * </pre>
 */
record ClusterFiles(Path folder) {
    /** A Unix socket's path has at most 107 bytes. */
    private static final int SOCKET_FOLDER_BYTES_MAX = 107 - "/.s.PGSQL.65535".length();

    Path data() {
        return folder.resolve("data");
    }

    Path log() {
        return folder.resolve("log");
    }

    Path run() {
        return folder.resolve("run");
    }

    Path ownerSecret() {
        return folder.resolve("owner.secret");
    }

    Path readerSecret() {
        return folder.resolve("reader.secret");
    }

    Path doorSecret() {
        return folder.resolve("door.secret");
    }

    Path postmasterPid() {
        return data().resolve("postmaster.pid");
    }

    Path startupLog() {
        return folder.resolve("startup.log");
    }

    /** The folder for the Unix socket; empty text (no socket) where the path is too long. */
    String socketFolder() {
        var path = run().toString();
        var length = path.getBytes(StandardCharsets.UTF_8).length;
        return length <= SOCKET_FOLDER_BYTES_MAX ? path : "";
    }

    /** The Unix socket; none where its path would be too long. */
    Optional<Path> socket(int port) {
        return socketFolder().isEmpty()
                ? Optional.empty()
                : Optional.of(run().resolve(".s.PGSQL." + port));
    }

    void writeSettings(int port, int maxConnections, String peerName) throws IOException {
        write("postgresql.conf", settings(port, maxConnections));
        write("pg_hba.conf", access());
        write(
                "pg_ident.conf",
                """
                lakemill "%1$s" %2$s
                door     "%1$s" all
                """
                        .formatted(peerName, Roles.OWNER));
    }

    /** The command line of the server: settings come from our file, not from the data folder. */
    List<String> serverCommand(Path binFolder) {
        return List.of(
                binFolder.resolve("postgres").toString(),
                "-D",
                data().toString(),
                "-c",
                "config_file=" + folder.resolve("postgresql.conf"),
                "-c",
                "fsync=on",
                "-c",
                "full_page_writes=on",
                "-c",
                "synchronous_commit=on");
    }

    private String settings(int port, int maxConnections) {
        return """
        # Written by Lakemill at each start; put settings of your own into custom.conf.
        max_connections = %d
        shared_buffers = 96MB
        work_mem = 8MB
        maintenance_work_mem = 64MB
        max_wal_size = 512MB
        min_wal_size = 80MB
        checkpoint_timeout = 10min
        checkpoint_completion_target = 0.9
        max_slot_wal_keep_size = 2GB
        jit = off
        log_min_messages = warning
        log_checkpoints = off
        %s
        port = %d
        listen_addresses = '127.0.0.1'
        unix_socket_directories = '%s'
        unix_socket_permissions = 0700
        hba_file = '%s'
        ident_file = '%s'
        external_pid_file = ''
        shared_preload_libraries = ''
        wal_level = logical
        password_encryption = 'scram-sha-256'
        timezone = 'UTC'
        log_timezone = 'UTC'
        lc_messages = 'C'
        logging_collector = on
        log_directory = '%s'
        log_filename = 'postgres-%%a.log'
        log_truncate_on_rotation = on
        log_rotation_age = 1d
        log_rotation_size = 0
        log_line_prefix = '%%m [%%p] %%q%%u@%%d '
        """
                .formatted(
                        maxConnections,
                        includeCustom(),
                        port,
                        quoted(socketFolder()),
                        quoted(folder.resolve("pg_hba.conf").toString()),
                        quoted(folder.resolve("pg_ident.conf").toString()),
                        quoted(log().toString()));
    }

    private String includeCustom() {
        var custom = folder.resolve("custom.conf");
        return Files.exists(custom) ? "include = '%s'".formatted(quoted(custom.toString())) : "";
    }

    /**
     * Nobody without a password, but for our own system user on the socket, who is the front door:
     * it logs in as whom it let in. Without a socket it has passwords of its own for that.
     */
    private String access() {
        return """
        # Written by Lakemill at each start.
        local all      %1$s  peer map=lakemill
        local lakemill all   peer map=door
        host  all      %1$s  127.0.0.1/32 scram-sha-256
        host  lakemill %2$s  127.0.0.1/32 scram-sha-256
        """
                .formatted(Roles.OWNER, socketFolder().isEmpty() ? "all" : Roles.READER);
    }

    private static String quoted(String text) {
        return text.replace("'", "''");
    }

    private void write(String name, String text) throws IOException {
        var file = folder.resolve(name);
        Files.writeString(file, text);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
    }
}
