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
 * wal-out/          files of the write-ahead log on their way to a backup
 * wal-in/           files of the write-ahead log that a restore brought
 * *.secret          passwords, mode 0600
 * postgresql.conf, pg_hba.conf, pg_ident.conf    written anew at each start
 * custom.conf       optional, yours: read first, so that what keeps data safe cannot be undone
 * </pre>
 */
record ClusterFiles(Path folder) {
    /** A Unix socket's path has at most 107 bytes. */
    private static final int SOCKET_FOLDER_BYTES_MAX = 107 - "/.s.PGSQL.65535".length();

    /** A file that stands in wal-out is whole and on the disk; another of its name is refused. */
    private static final String ARCHIVE =
            """
            # Written by Lakemill at each start. Arguments: the file's path, and its name.
            set -e
            out="$(dirname "$0")/wal-out"
            if [ -f "$out/$2" ]; then
                [ "$(sha256sum < "$1")" = "$(sha256sum < "$out/$2")" ]
                exit
            fi
            cp "$1" "$out/$2.part"
            sync "$out/$2.part"
            mv "$out/$2.part" "$out/$2"
            sync "$out"
            """;

    private static final String FETCH =
            """
            # Written by Lakemill at each start. Arguments: the file's name, and where it is to be.
            cp "$(dirname "$0")/wal-in/$1" "$2"
            """;

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

    Path walOut() {
        return folder.resolve("wal-out");
    }

    Path walIn() {
        return folder.resolve("wal-in");
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

    /**
     * @param libraries that the server loads at its start
     */
    void writeSettings(PostgresConfig config, int port, String peerName, String libraries)
            throws IOException {
        write("postgresql.conf", settings(config, port, libraries));
        write("pg_hba.conf", access());
        write(
                "pg_ident.conf",
                """
                lakemill "%1$s" %2$s
                door     "%1$s" all
                """
                        .formatted(peerName, Roles.OWNER));
        write("archive.sh", ARCHIVE);
        write("fetch.sh", FETCH);
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

    private String settings(PostgresConfig config, int port, String libraries) {
        return """
        # Written by Lakemill at each start; put settings of your own into custom.conf.
        max_connections = %d
        %scheckpoint_timeout = 10min
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
        shared_preload_libraries = '%s'
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
        %s"""
                .formatted(
                        config.maxConnections(),
                        Tuning.ofMachine().settings(),
                        includeCustom(),
                        port,
                        quoted(socketFolder()),
                        quoted(folder.resolve("pg_hba.conf").toString()),
                        quoted(folder.resolve("pg_ident.conf").toString()),
                        libraries,
                        quoted(log().toString()),
                        archiving(config));
    }

    /**
     * What keeps the write-ahead log for backups, or brings it back at a restore. A restore keeps
     * what it writes itself, too: the history of its new timeline, without which later backups lead
     * nowhere.
     */
    private String archiving(PostgresConfig config) {
        var recovery = config.recovery();
        if (recovery == null && config.archiveSeconds() == 0) {
            return "archive_mode = off\n";
        }
        var archive =
                "archive_mode = on%narchive_timeout = %d%narchive_command = '%s %%p %%f'%n"
                        .formatted(config.archiveSeconds(), command("archive.sh"));
        return recovery == null
                ? archive
                : archive
                        + "restore_command = '%s %%f %%p'%n".formatted(command("fetch.sh"))
                        + recovery.settings();
    }

    /** As a setting holds it: quoted for the shell, percent signs and quotes for Postgres. */
    private String command(String script) {
        var path = folder.resolve(script).toString().replace("'", "'\\''").replace("%", "%%");
        return quoted("sh '" + path + "'");
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
