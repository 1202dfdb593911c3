package dev.lakemill.postgres.imports;

import dev.lakemill.catalog.SqlResource;
import dev.lakemill.postgres.Postgres;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Reads what a database is made of, from Postgres' own catalogs and by its {@code pg_get_…def}
 * functions, whose names are whole because the session has no search path.
 */
final class SourceReader {
    private static final int OBJECTS_MAX = 100_000;

    private static final String SCHEMAS =
            """
            SELECT nspname FROM pg_namespace n
            WHERE nspname NOT LIKE 'pg\\_%' AND nspname NOT IN ('information_schema', 'lakemill')
                AND NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_namespace'::regclass AND d.objid = n.oid AND d.deptype = 'e')
                AND EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = n.oid
                    AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT EXISTS (
                        SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                            AND d.objid = c.oid AND d.deptype = 'e'))
            ORDER BY 1
            """;

    private final Connection source;
    private final Connection target;
    private final List<String> schemas;
    private final Set<String> leftOut;
    private final Set<String> missed;
    private final List<Blueprint.Refusal> refusals = new ArrayList<>();
    private int objects;

    private SourceReader(
            Connection source, Connection target, List<String> schemas, Set<String> leftOut) {
        this.source = source;
        this.target = target;
        this.schemas = schemas;
        this.leftOut = leftOut;
        this.missed = new TreeSet<>(leftOut);
    }

    /**
     * @param wanted the schemas; empty for all that hold tables or views
     * @param leftOut objects that stay behind, as refusals call them
     */
    static Blueprint read(
            Connection source, Connection target, List<String> wanted, Set<String> leftOut)
            throws SQLException {
        var there = names(source, SCHEMAS);
        for (var schema : wanted) {
            if (!there.contains(schema)) {
                throw new LakemillException(
                        ErrorCode.NOT_FOUND,
                        "the source has no tables in a schema '%s'".formatted(schema),
                        "it has them in: " + String.join(", ", there));
            }
        }
        if (there.isEmpty()) {
            throw new LakemillException(
                    ErrorCode.NOT_FOUND,
                    "the source has no tables",
                    "see that the URL names the right database");
        }
        var reader = new SourceReader(source, target, wanted.isEmpty() ? there : wanted, leftOut);
        return reader.blueprint();
    }

    private Blueprint blueprint() throws SQLException {
        readRefusals();
        var bases = bases();
        var before = new ArrayList<Blueprint.Step>();
        for (var part : List.of("types", "sequences", "functions", "tables", "ownerships")) {
            before.addAll(steps(part));
        }
        var after = new ArrayList<Blueprint.Step>();
        for (var part : List.of("constraints", "indexes", "views", "triggers", "comments")) {
            after.addAll(steps(part));
        }
        var tables = tables();
        if (!missed.isEmpty()) {
            throw new LakemillException(
                    ErrorCode.NOT_FOUND,
                    "the source has no " + String.join(", no ", missed),
                    "name what is left out as a refusal does, for example 'view app.recent'");
        }
        return new Blueprint(
                schemas, bases, before, after, tables, names(sql("values"), schemas), refusals);
    }

    private boolean isLeftOut(String object) {
        missed.remove(object);
        return leftOut.contains(object);
    }

    private List<Blueprint.Step> steps(String part) throws SQLException {
        var steps = new ArrayList<Blueprint.Step>();
        try (var query = source.prepareStatement(sql(part))) {
            query.setArray(1, source.createArrayOf("text", schemas.toArray()));
            try (var rows = query.executeQuery()) {
                while (rows.next()) {
                    if (++objects > OBJECTS_MAX) {
                        throw new LakemillException(
                                ErrorCode.RESOURCE_EXHAUSTED,
                                "the source has more than %d objects".formatted(OBJECTS_MAX),
                                "import it schema by schema, with --schema");
                    }
                    if (!isLeftOut(rows.getString(1))) {
                        steps.add(
                                new Blueprint.Step(
                                        rows.getString(1), rows.getString(2), rows.getString(3)));
                    }
                }
            }
        }
        return steps;
    }

    private List<Blueprint.Table> tables() throws SQLException {
        var tables = new ArrayList<Blueprint.Table>();
        try (var query = source.prepareStatement(sql("columns"))) {
            query.setArray(1, source.createArrayOf("text", schemas.toArray()));
            try (var rows = query.executeQuery()) {
                while (rows.next()) {
                    var table = table(rows);
                    var object = (table.isView() ? "view " : "table ") + sourceName(table);
                    if (!leftOut.contains(object)) {
                        tables.add(table);
                    }
                }
            }
        }
        return tables;
    }

    private static Blueprint.Table table(ResultSet row) throws SQLException {
        return new Blueprint.Table(
                row.getString(1),
                row.getString(2),
                row.getString(3),
                row.getLong(4),
                Arrays.asList((String[]) row.getArray(5).getArray()),
                row.getBoolean(6),
                row.getString(7));
    }

    /** As format('%I.%I') writes it. */
    private String sourceName(Blueprint.Table table) throws SQLException {
        try (var query = source.prepareStatement("SELECT format('%I.%I', ?::text, ?::text)")) {
            query.setString(1, table.schema());
            query.setString(2, table.name());
            try (var rows = query.executeQuery()) {
                rows.next();
                return rows.getString(1);
            }
        }
    }

    private void readRefusals() throws SQLException {
        for (var schema : schemas) {
            if (schema.toLowerCase(java.util.Locale.ROOT).startsWith("lakemill")) {
                refusals.add(
                        new Blueprint.Refusal(
                                "schema " + schema,
                                "names that begin with 'lakemill' are ours",
                                "rename it there: ALTER SCHEMA … RENAME TO …"));
            }
        }
        try (var query = source.prepareStatement(sql("refusals"))) {
            query.setArray(1, source.createArrayOf("text", schemas.toArray()));
            try (var rows = query.executeQuery()) {
                while (rows.next()) {
                    if (!isLeftOut(rows.getString(1))) {
                        refusals.add(
                                new Blueprint.Refusal(
                                        rows.getString(1), rows.getString(2), rows.getString(3)));
                    }
                }
            }
        }
    }

    /** Schemas, and the extensions that this Postgres has too. */
    private List<Blueprint.Step> bases() throws SQLException {
        var steps = new ArrayList<Blueprint.Step>();
        schemas.forEach(schema -> steps.add(schema(schema)));
        var available = new HashSet<>(names(target, "SELECT name FROM pg_available_extensions"));
        try (var query = source.prepareStatement(sql("extensions"))) {
            query.setArray(1, source.createArrayOf("text", schemas.toArray()));
            try (var rows = query.executeQuery()) {
                while (rows.next()) {
                    extension(rows, available, steps);
                }
            }
        }
        return steps;
    }

    private void extension(ResultSet row, Set<String> available, List<Blueprint.Step> steps)
            throws SQLException {
        var object = "extension " + row.getString(1);
        var schema = row.getString(3);
        if (isLeftOut(object)) {
            return;
        }
        if (available.contains(row.getString(1))) {
            if (!schemas.contains(schema) && !schema.startsWith("pg_")) {
                steps.add(schema(schema));
                // It holds no tables: what is used of it lets nobody read anything.
                var open = "GRANT USAGE ON SCHEMA %s TO PUBLIC".formatted(Blueprint.quoted(schema));
                steps.add(new Blueprint.Step("schema " + schema, open, ""));
            }
            steps.add(new Blueprint.Step(object, row.getString(2), ""));
        } else if (row.getBoolean(4)) {
            refusals.add(
                    new Blueprint.Refusal(
                            object,
                            "something is made of it, and this Postgres does not have it",
                            "run Lakemill on a Postgres that has it (postgres.url), or take it"
                                    + " away there"));
        }
    }

    private static Blueprint.Step schema(String name) {
        return new Blueprint.Step(
                "schema " + name,
                "CREATE SCHEMA IF NOT EXISTS %s AUTHORIZATION %s"
                        .formatted(Blueprint.quoted(name), Postgres.OBJECTS_ROLE),
                "");
    }

    private static List<String> names(Connection connection, String sql) throws SQLException {
        try (var query = connection.prepareStatement(sql);
                var rows = query.executeQuery()) {
            var names = new ArrayList<String>();
            while (rows.next()) {
                names.add(rows.getString(1));
            }
            return names;
        }
    }

    private List<String> names(String sql, List<String> of) throws SQLException {
        try (var query = source.prepareStatement(sql)) {
            query.setArray(1, source.createArrayOf("text", of.toArray()));
            try (var rows = query.executeQuery()) {
                var names = new ArrayList<String>();
                while (rows.next()) {
                    names.add(rows.getString(1));
                }
                return names;
            }
        }
    }

    private static String sql(String part) {
        // A comment's apostrophes and question marks are none of the query's.
        return SqlResource.read(SourceReader.class, part + ".sql")
                .lines()
                .filter(line -> !line.startsWith("--"))
                .collect(Collectors.joining("\n"));
    }
}
