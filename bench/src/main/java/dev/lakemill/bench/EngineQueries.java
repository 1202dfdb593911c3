package dev.lakemill.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import dev.lakemill.pipeline.DuckPrinter;
import dev.lakemill.pipeline.JavaFunctions;
import dev.lakemill.pipeline.WarmCompiler;
import dev.lakemill.plan.Attribute;
import dev.lakemill.plan.Fragment;
import dev.lakemill.plan.Relation;
import dev.lakemill.plan.SourceText;
import dev.lakemill.plan.SqlCompilation;
import dev.lakemill.plan.SqlRequest;
import dev.lakemill.plan.TextError;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Queries in our engine: compiled by the compiler's process, printed, and run by DuckDB over tables
 * that are put in before. One thread uses it.
 */
final class EngineQueries implements AutoCloseable {
    /** What became of a query. */
    sealed interface Outcome {
        /** The query reads a table that is not there. */
        record Missing(String table) implements Outcome {}

        record Refused(TextError error) implements Outcome {}

        record Failed(String message, String sql) implements Outcome {}

        record Answered(List<DataType> types, List<ArrayNode> rows, String sql)
                implements Outcome {}
    }

    private static final ObjectMapper JSON = new ObjectMapper();

    private final WarmCompiler compiler = new WarmCompiler(Duration.ofMinutes(5));
    private final Map<String, SqlRequest.Source> tables = new HashMap<>();
    private final Connection duck;

    EngineQueries() throws SQLException {
        duck = DriverManager.getConnection("jdbc:duckdb:");
        JavaFunctions.install(duck);
        execute("SET TimeZone = 'UTC'");
        execute("SET threads = 1");
        execute("SET memory_limit = '1GB'");
    }

    Connection duck() {
        return duck;
    }

    void execute(String sql) throws SQLException {
        try (var statement = duck.createStatement()) {
            statement.execute(sql);
        }
    }

    /** Forgets all tables. */
    void clear() throws SQLException {
        for (var table : tables.values()) {
            execute("DROP TABLE IF EXISTS " + duckName(table.table()));
        }
        tables.clear();
    }

    /** A table that stands in DuckDB under its name already. */
    void declare(String name, TableSchema schema) {
        declare(name, "s", schema);
    }

    /** The last part of the name is how the query may call the table. */
    private void declare(String written, String schemaName, TableSchema schema) {
        var key = written.toLowerCase(Locale.ROOT);
        var table = new TableName("c", schemaName, key.substring(key.lastIndexOf('.') + 1));
        tables.put(key, new SqlRequest.Source(written, table, schema));
    }

    /** The table that {@link #declare} expects. */
    static String duckName(String name) {
        return DuckPrinter.quoted("s_" + name);
    }

    private static String duckName(TableName table) {
        return DuckPrinter.quoted(table.schema() + "_" + table.table());
    }

    /** A table with these rows, in the form of {@link TypedValues}. */
    void table(String written, TableSchema schema, JsonNode rows) throws SQLException {
        declare(written, "s" + tables.size(), schema);
        var name =
                duckName(
                        Objects.requireNonNull(tables.get(written.toLowerCase(Locale.ROOT)))
                                .table());
        var columns =
                schema.columns().stream()
                        .map(c -> DuckPrinter.quoted(c.name()) + " " + DuckPrinter.type(c.type()))
                        .collect(Collectors.joining(", "));
        execute("CREATE TABLE %s (%s)".formatted(name, columns));
        var values =
                TypedValues.items(rows).stream()
                        .map(
                                row ->
                                        IntStream.range(0, schema.size())
                                                .mapToObj(
                                                        i ->
                                                                TypedValues.sql(
                                                                        row.get(i),
                                                                        schema.column(i).type()))
                                                .collect(Collectors.joining(", ", "(", ")")))
                        .toList();
        for (int from = 0; from < values.size(); from += 500) {
            var some = values.subList(from, Math.min(values.size(), from + 500));
            execute("INSERT INTO %s VALUES %s".formatted(name, String.join(", ", some)));
        }
    }

    Outcome run(String text) throws SQLException {
        var fragment = Fragment.all(new SourceText("query.sql", text));
        var request = new SqlRequest.Query(fragment, List.copyOf(tables.values()));
        SqlCompilation compilation;
        try {
            compilation = compiler.compile(request);
        } catch (LakemillException e) {
            return new Outcome.Failed(String.valueOf(e.getMessage()), "");
        }
        return switch (compilation) {
            case SqlCompilation.Rejected rejected ->
                    new Outcome.Refused(rejected.errors().getFirst());
            case SqlCompilation.Scalar _ -> throw new IllegalStateException("a query was asked");
            case SqlCompilation.Reads reads ->
                    reads.tables().stream()
                            .map(SqlCompilation.Read::written)
                            .filter(t -> !tables.containsKey(t.toLowerCase(Locale.ROOT)))
                            .findFirst()
                            .<Outcome>map(Outcome.Missing::new)
                            .orElseThrow();
            case SqlCompilation.Query query -> run(query.relation());
        };
    }

    private Outcome run(Relation relation) throws SQLException {
        String sql;
        try {
            sql = printer().query(relation);
        } catch (LakemillException e) {
            if (e.code() != ErrorCode.UNIMPLEMENTED) {
                throw e;
            }
            return new Outcome.Refused(
                    new TextError(
                            new dev.lakemill.plan.SourcePosition("query.sql", 1, 1),
                            String.valueOf(e.getMessage()),
                            ""));
        }
        var types = relation.output().stream().map(Attribute::type).toList();
        try (var statement = duck.createStatement();
                var result = statement.executeQuery(sql)) {
            var rows = new ArrayList<ArrayNode>();
            for (int i = 0; i < types.size(); i++) {
                var given = result.getMetaData().getColumnTypeName(i + 1);
                if (!unquoted(given).equals(unquoted(DuckPrinter.type(types.get(i))))) {
                    return new Outcome.Failed(
                            "column %d is %s, not %s".formatted(i + 1, given, types.get(i).sql()),
                            sql);
                }
            }
            while (result.next()) {
                var row = JSON.createArrayNode();
                for (int i = 0; i < types.size(); i++) {
                    row.add(TypedValues.of(value(result, i + 1, types.get(i)), types.get(i)));
                }
                rows.add(row);
            }
            return new Outcome.Answered(types, rows, sql);
        } catch (SQLException e) {
            return new Outcome.Failed(String.valueOf(e.getMessage()), sql);
        }
    }

    /** The driver quotes the names of fields only where it must. */
    private static String unquoted(String type) {
        return type.replace("\"", "");
    }

    /** The driver's own class for times knows no years before 1. */
    private static @Nullable Object value(ResultSet result, int column, DataType type)
            throws SQLException {
        return type == Primitive.TIMESTAMP || type == Primitive.TIMESTAMP_NTZ
                ? result.getObject(column, LocalDateTime.class)
                : result.getObject(column);
    }

    private static DuckPrinter printer() {
        return new DuckPrinter(
                scan -> duckName(scan.table()),
                "make_timestamp(%d)"
                        .formatted(ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now())));
    }

    @Override
    public void close() throws SQLException {
        compiler.close();
        duck.close();
    }
}
