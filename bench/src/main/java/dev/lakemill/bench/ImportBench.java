package dev.lakemill.bench;

import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.postgres.Postgres;
import dev.lakemill.postgres.PostgresConfig;
import dev.lakemill.postgres.RowAudit;
import dev.lakemill.postgres.imports.Import;
import dev.lakemill.postgres.imports.ImportListener;
import dev.lakemill.postgres.imports.ImportRequest;
import dev.lakemill.postgres.imports.ImportSource;
import dev.lakemill.types.PrincipalKind;
import dev.lakemill.types.TableName;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.postgresql.PGConnection;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * An application's table of ten columns moved from one Postgres into another: its rows alone and
 * the whole import (structure, rows, key, two indexes, checksums on both sides, catalog), against a
 * bare {@code COPY | COPY} of the same rows between the same two servers, in turns.
 */
final class ImportBench {
    private static final int ROWS = 500_000;
    private static final TableName TABLE = TableName.parse("moved.shop.items");

    /** Rows a second of one round. */
    private record Round(double bare, double rows, double whole) {}

    private ImportBench() {}

    static Report run(BenchOptions options) throws IOException, SQLException {
        var report = new Report.Builder();
        var rounds = new ArrayList<Round>();
        long differences = 0;
        try (var servers = new Servers()) {
            servers.fill();
            servers.bare();
            for (int round = 0; round < options.rounds(); round++) {
                var bare = ROWS / servers.bare();
                var clock = new Phases();
                var started = System.nanoTime();
                servers.move(clock);
                var whole = ROWS / ((System.nanoTime() - started) / 1e9);
                rounds.add(new Round(bare, ROWS / clock.copySeconds(), whole));
                differences += servers.differences();
                servers.takeAway();
            }
        }
        var bare = Report.median(rounds.stream().map(Round::bare).toList());
        var rows = Report.median(rounds.stream().map(Round::rows).toList());
        report.figure("bare_copy_rows_per_second", bare);
        report.figure("import_rows_per_second", rows);
        report.figure("import_rows_vs_bare_copy", rows / bare);
        report.figure(
                "whole_import_rows_per_second",
                Report.median(rounds.stream().map(Round::whole).toList()));
        report.figure("differences", differences);
        report.check("no_differences", differences == 0);
        return report.build();
    }

    /** How long the rows took, without what comes before and after. */
    private static final class Phases implements ImportListener {
        private long began;
        private long ended;

        @Override
        public void doing(String what) {
            if (what.startsWith("copying ")) {
                began = System.nanoTime();
            } else if (what.startsWith("copied ")) {
                ended = System.nanoTime();
            }
        }

        @Override
        public void copied(long rows, long bytes, long rowsExpected) {}

        double copySeconds() {
            return (ended - began) / 1e9;
        }
    }

    /** One that has the table, and one with a catalog that it is moved into. */
    private static final class Servers implements AutoCloseable {
        private final Path folder = Folders.temporary("lakemill-bench");
        private final Postgres source;
        private final Postgres target;
        private final Catalog catalog;
        private final RowAudit audit;
        private final Caller admin;

        Servers() throws IOException {
            source = Postgres.start(PostgresConfig.embedded(folder.resolve("source"), 0));
            target = Postgres.start(PostgresConfig.embedded(folder.resolve("target"), 0));
            catalog = Catalog.open(target.owner());
            audit = RowAudit.open(target.owner(), catalog.audit());
            var principals = catalog.principals();
            var user =
                    principals
                            .create(catalog.system(), PrincipalKind.USER, "bench", "", "")
                            .principal();
            var admins = principals.find("admins").orElseThrow().principal();
            principals.addMember(catalog.system(), admins.id(), user.id());
            admin = new Caller(user, null, "bench", "", "");
        }

        private PGSimpleDataSource login() {
            return (PGSimpleDataSource) source.ownerUnpooled();
        }

        void fill() throws SQLException {
            execute(login().getConnection(), "CREATE DATABASE shop");
            execute(
                    inSource(),
                    """
                    CREATE SCHEMA shop;
                    CREATE TABLE shop.items (
                        id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, a bigint, b bigint,
                        name text, site text, note text, x float8, y float8, made date,
                        seen timestamptz);
                    INSERT INTO shop.items SELECT g, g * 3, g %% 1000, 'name ' || g,
                        'site ' || g %% 50,
                        'a note about ' || g, g / 2.0, g / 3.0, date '2026-01-01' + g %% 300, now()
                    FROM generate_series(1, %d) g;
                    CREATE INDEX items_b ON shop.items (b);
                    CREATE INDEX items_name ON shop.items (name);
                    ANALYZE
                    """
                            .formatted(ROWS));
            execute(target.ownerUnpooled().getConnection(), "CREATE SCHEMA bare");
        }

        private Connection inSource() throws SQLException {
            var url = login().getUrl().replaceAll("/lakemill\\b", "/shop");
            return DriverManager.getConnection(url, login().getUser(), login().getPassword());
        }

        private static void execute(Connection connection, String sql) throws SQLException {
            try (connection;
                    var statement = connection.createStatement()) {
                statement.execute(sql);
            }
        }

        /** Seconds of a bare copy into a new table. */
        double bare() throws SQLException {
            try (var from = inSource();
                    var into = target.ownerUnpooled().getConnection();
                    var statement = into.createStatement()) {
                into.setAutoCommit(false);
                statement.execute(
                        """
                        DROP TABLE IF EXISTS bare.items;
                        CREATE TABLE bare.items (id bigint, a bigint, b bigint, name text,
                            site text,
                            note text, x float8, y float8, made date, seen timestamptz)
                        """);
                var started = System.nanoTime();
                var out =
                        from.unwrap(PGConnection.class)
                                .getCopyAPI()
                                .copyOut("COPY shop.items TO STDOUT (FORMAT binary)");
                var in =
                        into.unwrap(PGConnection.class)
                                .getCopyAPI()
                                .copyIn("COPY bare.items FROM STDIN (FORMAT binary, FREEZE)");
                for (var next = out.readFromCopy(); next != null; next = out.readFromCopy()) {
                    in.writeToCopy(next, 0, next.length);
                }
                in.endCopy();
                into.commit();
                return (System.nanoTime() - started) / 1e9;
            }
        }

        void move(ImportListener listener) throws SQLException {
            var url = login().getUrl().replaceAll("/lakemill\\b", "/shop");
            var from = ImportSource.parse(url, login().getPassword());
            from.database().setUser(login().getUser());
            new Import(target, catalog, audit, listener)
                    .run(
                            new ImportRequest(from, List.of("shop"), Set.of(), "moved", "bench"),
                            admin);
        }

        /** Rows that are on one side alone, or not the same. */
        long differences() throws SQLException {
            var sql = "SELECT t::text FROM shop.items t ORDER BY id";
            long differences = 0;
            try (var there = inSource();
                    var here = target.ownerUnpooled().getConnection()) {
                there.setAutoCommit(false);
                here.setAutoCommit(false);
                try (var first = there.createStatement();
                        var second = here.createStatement()) {
                    first.setFetchSize(10_000);
                    second.setFetchSize(10_000);
                    try (var a = first.executeQuery(sql);
                            var b = second.executeQuery(sql)) {
                        var more = a.next();
                        var moreHere = b.next();
                        while (more || moreHere) {
                            if (!more
                                    || !moreHere
                                    || !Objects.equals(a.getString(1), b.getString(1))) {
                                differences++;
                            }
                            more = more && a.next();
                            moreHere = moreHere && b.next();
                        }
                    }
                }
            }
            return differences;
        }

        void takeAway() throws SQLException {
            catalog.drop(TABLE);
            execute(target.ownerUnpooled().getConnection(), "DROP SCHEMA shop CASCADE");
        }

        @Override
        public void close() throws IOException {
            catalog.audit().close();
            target.close();
            source.close();
            Folders.delete(folder);
        }
    }
}
