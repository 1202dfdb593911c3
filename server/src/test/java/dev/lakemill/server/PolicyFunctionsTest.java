package dev.lakemill.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lakemill.pipeline.WarmCompiler;
import dev.lakemill.plan.Expression;
import dev.lakemill.plan.Fragment;
import dev.lakemill.plan.Relation;
import dev.lakemill.plan.SourceText;
import dev.lakemill.plan.SqlCompilation;
import dev.lakemill.plan.SqlRequest;
import dev.lakemill.postgres.PolicyPrinter;
import dev.lakemill.postgres.Postgres;
import dev.lakemill.postgres.PostgresConfig;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Holds what is printed for Postgres to Spark's answers, which stand in the compiler module's
 * goldens and which DuckDB is held to in the same way: so both engines give the same.
 */
final class PolicyFunctionsTest {
    private static final Path FOLDER =
            Path.of(
                    System.getProperty("lakemill.root"),
                    "compiler/src/test/resources/differential");
    private static final int ROWS = 16;

    @TempDir static Path folder;

    private static WarmCompiler compiler = new WarmCompiler(Duration.ofMinutes(5));
    private static @Nullable Postgres postgres;

    @BeforeAll
    static void start() throws Exception {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
        postgres = Postgres.start(PostgresConfig.embedded(folder.resolve("pg"), 0));
        fill();
    }

    @AfterAll
    static void stop() {
        compiler.close();
        if (postgres != null) {
            postgres.close();
        }
    }

    @Test
    void whatIsPrintedForPostgresGivesWhatSparkGives() throws Exception {
        var texts = expressions();
        var printer = new PolicyPrinter(a -> "\"" + a.name() + "\"");
        var values = compiled(texts);
        var differences = new ArrayList<String>();
        var refused = new ArrayList<String>();
        var compared = 0;
        try (var connection = connection()) {
            for (int i = 0; i < texts.size(); i++) {
                String sql;
                try {
                    sql = printer.print(values.get(i));
                } catch (LakemillException e) {
                    refused.add(texts.get(i) + "   " + e.problem());
                    continue;
                }
                compared++;
                var expected = golden(texts.get(i));
                var actual = answers(connection, sql, values.get(i).type());
                for (int row = 0; row < ROWS; row++) {
                    if (!same(expected.get(row), actual.get(row))) {
                        differences.add(
                                "%s  row %d: spark %s, postgres %s  %s"
                                        .formatted(
                                                texts.get(i),
                                                row + 1,
                                                expected.get(row),
                                                actual.get(row),
                                                sql));
                    }
                }
            }
        }
        assertThat(differences).isEmpty();
        assertThat(compared).as("compared, refused: %s", refused).isGreaterThan(180);
    }

    @Test
    void lettersAreThoseOfUnicode() throws Exception {
        var different = new ArrayList<String>();
        try (var connection = connection()) {
            for (int from = 1; from < 0x20000; from += 0x400) {
                var text = new StringBuilder();
                for (int c = from; c < from + 0x400; c++) {
                    if (Character.isDefined(c) && !(c >= 0xD800 && c < 0xE000)) {
                        text.appendCodePoint(c).append('1');
                    }
                }
                try (var query =
                        connection.prepareStatement(
                                "SELECT upper(? COLLATE \"pg_unicode_fast\")")) {
                    query.setString(1, text.toString());
                    try (var result = query.executeQuery()) {
                        result.next();
                        if (!result.getString(1)
                                .equals(text.toString().toUpperCase(java.util.Locale.ROOT))) {
                            different.add(Integer.toHexString(from));
                        }
                    }
                }
            }
        }
        assertThat(different).isEmpty();
    }

    @Test
    void aFunctionIsPrintedForBothEngines() {
        var function =
                new PolicyCompiler(compiler)
                        .compile(
                                "main.p.f",
                                List.of(
                                        Column.nullable("region", Primitive.STRING),
                                        Column.nullable("owner", Primitive.STRING)),
                                Primitive.BOOLEAN,
                                "is_account_group_member('it''s $1') OR owner = current_user() OR"
                                        + " region IN ('a', 'b')",
                                "");
        assertThat(function.duckSql())
                .isEqualTo(
                        "(coalesce(list_contains($groups, 'it''s $1'), false) OR ($2 = $user) OR"
                                + " ($1 IN ('a', 'b')))");
        assertThat(function.postgresSql())
                .contains("lakemill.is_member('it''s $1'::text)")
                .contains("lakemill.session_name()");
    }

    @Test
    void aBodyThatIsWrongOrNotForBothEnginesIsRefusedWithItsPlace() {
        refused("region = ", "main.p.f:1");
        refused("regio = 'x'", "main.p.f:1:1");
        refused("count(region) > 1", "parameters alone");
        refused("region", "BOOLEAN");
        refused("now() > TIMESTAMP'2026-01-01 00:00:00'", "time");
        refused("region RLIKE '(a|b)+'", "main.p.f:1:8");
        refused("nosuch(region)", "there is no function 'nosuch'");
        refused("EXISTS (SELECT 1)", "parameters alone");
    }

    private static void refused(String body, String problem) {
        assertThatThrownBy(
                        () ->
                                new PolicyCompiler(compiler)
                                        .compile(
                                                "main.p.f",
                                                List.of(
                                                        Column.nullable(
                                                                "region", Primitive.STRING)),
                                                Primitive.BOOLEAN,
                                                body,
                                                ""))
                .isInstanceOf(LakemillException.class)
                .hasMessageContaining(problem);
    }

    private static boolean same(@Nullable String expected, @Nullable String actual) {
        if (expected == null || actual == null) {
            return expected == null && actual == null;
        }
        return expected.startsWith("!") ? actual.startsWith("!") : expected.equals(actual);
    }

    private static List<@Nullable String> golden(String text) throws IOException {
        var answers = new ArrayList<@Nullable String>();
        for (var value : goldens().get("expressions").get(text).get("values")) {
            answers.add(value.isNull() ? null : value.asText());
        }
        return answers;
    }

    /** One value per row; errors are marked. */
    private static List<@Nullable String> answers(Connection connection, String sql, DataType type)
            throws SQLException {
        try {
            return values(connection, sql, type, "true");
        } catch (SQLException _) {
            var answers = new ArrayList<@Nullable String>();
            for (int id = 1; id <= ROWS; id++) {
                answers.add(one(connection, sql, type, id));
            }
            return answers;
        }
    }

    private static @Nullable String one(Connection connection, String sql, DataType type, int id) {
        try {
            return values(connection, sql, type, "id = " + id).getFirst();
        } catch (SQLException e) {
            return "!" + String.valueOf(e.getMessage());
        }
    }

    private static List<@Nullable String> values(
            Connection connection, String sql, DataType type, String where) throws SQLException {
        var query =
                "SELECT %s, pg_typeof(r)::text FROM (SELECT id, %s AS r FROM v WHERE %s) q ORDER BY id"
                        .formatted(told(type), sql, where);
        try (var statement = connection.createStatement();
                var result = statement.executeQuery(query)) {
            var values = new ArrayList<@Nullable String>();
            while (result.next()) {
                var wanted = PolicyPrinter.type(type).split("\\(")[0];
                values.add(
                        result.getString(2).equals(wanted)
                                ? result.getString(1)
                                : "type " + result.getString(2) + " for " + wanted);
            }
            return values;
        }
    }

    /** The value in the form of the goldens. */
    private static String told(DataType type) {
        if (type == Primitive.DATE) {
            return "(r - date '1970-01-01')::text";
        }
        if (type == Primitive.TIMESTAMP || type == Primitive.TIMESTAMP_NTZ) {
            return "(extract(epoch FROM r) * 1000000)::bigint::text";
        }
        if (type == Primitive.BINARY) {
            return "encode(r, 'hex')";
        }
        return type == Primitive.BOOLEAN
                ? "CASE WHEN r THEN 'true' WHEN NOT r THEN 'false' END"
                : "r::text";
    }

    /** The expressions of which Postgres can show the value as Spark does. */
    private static List<String> expressions() throws IOException {
        var goldens = goldens().get("expressions");
        return Files.readAllLines(FOLDER.resolve("expressions.txt")).stream()
                .filter(line -> !line.isBlank() && !line.startsWith("--") && !line.startsWith("~"))
                .filter(line -> !goldens.get(line).get("type").asText().matches("FLOAT|DOUBLE"))
                .toList();
    }

    private static List<Expression> compiled(List<String> texts) throws IOException {
        var list =
                IntStream.range(0, texts.size())
                        .mapToObj(i -> texts.get(i) + " AS r" + i)
                        .collect(Collectors.joining(", "));
        var text = new SourceText("all", "SELECT %s FROM test.t.v".formatted(list));
        var source = new SqlRequest.Source("test.t.v", TableName.parse("test.t.v"), schema());
        var answer = compiler.compile(new SqlRequest.Query(Fragment.all(text), List.of(source)));
        assertThat(answer).isInstanceOf(SqlCompilation.Query.class);
        var project = (Relation.Project) ((SqlCompilation.Query) answer).relation();
        return project.columns().stream().map(Relation.Named::value).toList();
    }

    private static TableSchema schema() throws IOException {
        var table = goldens().get("tables").get("v");
        var columns = new ArrayList<Column>();
        for (int i = 0; i < table.get("columns").size(); i++) {
            columns.add(
                    new Column(
                            table.get("columns").get(i).asText(),
                            DataType.parse(table.get("types").get(i).asText()),
                            i > 0,
                            ""));
        }
        return new TableSchema(columns);
    }

    private static JsonNode goldens() throws IOException {
        return new ObjectMapper().readTree(FOLDER.resolve("goldens.json").toFile());
    }

    /** A table with the rows that Spark answered for; arrays stand in no function. */
    private static void fill() throws Exception {
        var columns =
                schema().columns().stream()
                        .filter(c -> !(c.type() instanceof DataType.Array))
                        .toList();
        try (var connection = connection();
                var statement = connection.createStatement()) {
            statement.execute(
                    columns.stream()
                            .map(c -> "\"%s\" %s".formatted(c.name(), PolicyPrinter.type(c.type())))
                            .collect(Collectors.joining(", ", "CREATE TABLE v (", ")")));
            for (var row : goldens().get("tables").get("v").get("rows")) {
                var values = new ArrayList<String>();
                for (int i = 0; i < columns.size(); i++) {
                    values.add(value(columns.get(i).type(), row.get(i)));
                }
                statement.execute("INSERT INTO v VALUES (" + String.join(", ", values) + ")");
            }
        }
    }

    private static String value(DataType type, JsonNode node) {
        if (node.isNull()) {
            return "NULL";
        }
        var text = "'" + node.asText().replace("'", "''") + "'";
        if (type == Primitive.DATE) {
            return "date '1970-01-01' + " + node.asText();
        }
        if (type == Primitive.TIMESTAMP) {
            return "timestamptz '1970-01-01 00:00:00+00' + " + interval(node.asText());
        }
        if (type == Primitive.TIMESTAMP_NTZ) {
            return "timestamp '1970-01-01 00:00:00' + " + interval(node.asText());
        }
        return type == Primitive.BINARY ? "decode(" + text + ", 'hex')" : text;
    }

    private static String interval(String micros) {
        var all = Long.parseLong(micros);
        return "interval '%d seconds' + interval '%d microseconds'"
                .formatted(Math.floorDiv(all, 1_000_000L), Math.floorMod(all, 1_000_000L));
    }

    private static Connection connection() throws SQLException {
        var running = postgres;
        if (running == null) {
            throw new IllegalStateException("Postgres runs during the tests");
        }
        var connection = running.owner().getConnection();
        try (var statement = connection.createStatement()) {
            statement.execute("SET search_path = public; SET TimeZone = 'Asia/Tokyo'");
        }
        return connection;
    }
}
