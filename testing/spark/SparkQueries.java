import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.File;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.jar.JarFile;
import org.apache.spark.sql.AnalysisException;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.MapType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.unsafe.types.CalendarInterval;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Answers questions to Spark, one JSON object a line, until its input ends. A program in one file,
 * which java compiles and runs on Spark's class path:
 *
 * <pre>java -cp ... SparkQueries.java warehouse-folder</pre>
 *
 * <ul>
 *   <li>{"sql": text}: {"columns": [{"name", "type"}], "rows": [[value, ...], ...]}, or {"error":
 *       text, "phase": "analysis" or "run"}
 *   <li>{"list": prefix}: {"files": [...]}, the names of resources on the class path
 *   <li>{"read": name}: {"text": ...}, a resource
 *   <li>{"fresh": true or false}: {}, a session without views and tables, but for those that
 *       Spark's own suite makes if true
 *   <li>{"parquet": folder, "view": name}: {}
 * </ul>
 *
 * <p>A value is null, true or false, or a text: digits, hexadecimal, days or microseconds since
 * 1970; an array is an array, a struct an array, a map an array of pairs sorted by their text.
 */
final class SparkQueries {
    private static final int ROWS_MAX = 200_000;
    private static final String TESTS = "sql-tests/results/";
    private static final ObjectMapper JSON = new ObjectMapper();

    private SparkSession spark;

    private SparkQueries(SparkSession spark) {
        this.spark = spark;
    }

    public static void main(String[] arguments) throws Exception {
        var answers = System.out;
        System.setOut(System.err);
        var queries = new SparkQueries(session(arguments[0]));
        var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (var line = lines.readLine(); line != null; line = lines.readLine()) {
            print(answers, queries.answer(JSON.readTree(line)));
        }
        queries.spark.stop();
    }

    private static void print(PrintStream out, ObjectNode answer) throws Exception {
        out.write((JSON.writeValueAsString(answer) + "\n").getBytes(StandardCharsets.UTF_8));
        out.flush();
    }

    private static SparkSession session(String warehouse) {
        var session =
                SparkSession.builder()
                        .master("local[1]")
                        .config("spark.ui.enabled", false)
                        .config("spark.log.level", "FATAL")
                        .config("spark.sql.warehouse.dir", warehouse)
                        .config("spark.sql.session.timeZone", "UTC")
                        .config("spark.sql.datetime.java8API.enabled", true)
                        .config("spark.sql.shuffle.partitions", 1)
                        .config("spark.sql.codegen.wholeStage", false)
                        .config("spark.sql.codegen.factoryMode", "NO_CODEGEN")
                        .config("spark.sql.adaptive.enabled", false)
                        .config("spark.driver.bindAddress", "127.0.0.1")
                        .config("spark.driver.host", "127.0.0.1")
                        .getOrCreate();
        session.sparkContext().setLogLevel("OFF");
        return session;
    }

    private ObjectNode answer(JsonNode request) throws Exception {
        if (request.has("sql")) {
            return query(request.get("sql").asText());
        }
        var answer = JSON.createObjectNode();
        if (request.has("list")) {
            answer.set("files", JSON.valueToTree(list(request.get("list").asText())));
        } else if (request.has("read")) {
            answer.put("text", read(request.get("read").asText()));
        } else if (request.has("fresh")) {
            fresh(request.get("fresh").asBoolean());
        } else {
            spark.conf().set("spark.sql.codegen.wholeStage", true);
            spark.conf().set("spark.sql.codegen.factoryMode", "FALLBACK");
            spark.read()
                    .parquet(request.get("parquet").asText())
                    .createOrReplaceTempView(request.get("view").asText());
        }
        return answer;
    }

    private static List<String> list(String prefix) throws Exception {
        var any = SparkQueries.class.getClassLoader().getResource(TESTS + "array.sql.out");
        var path = any.getPath();
        var names = new ArrayList<String>();
        try (var jar = new JarFile(new File(path.substring(5, path.indexOf('!'))))) {
            jar.stream()
                    .map(e -> e.getName())
                    .filter(n -> n.startsWith(prefix) && !n.endsWith("/"))
                    .sorted()
                    .forEach(names::add);
        }
        return names;
    }

    private static String read(String name) throws Exception {
        try (var in = SparkQueries.class.getClassLoader().getResourceAsStream(name)) {
            return in == null ? "" : new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private void fresh(boolean withTestTables) throws Exception {
        spark.sql("DROP DATABASE IF EXISTS conformance CASCADE");
        spark = spark.newSession();
        spark.sql("CREATE DATABASE conformance");
        spark.sql("USE conformance");
        if (withTestTables) {
            testTables();
        }
    }

    /** The tables that Spark's own suite makes for its files. */
    private void testTables() throws Exception {
        spark.range(1, 101)
                .selectExpr("CAST(id AS INT) AS key", "CAST(id AS STRING) AS value")
                .createOrReplaceTempView("testdata");
        spark.sql(
                "CREATE TEMPORARY VIEW arraydata AS SELECT * FROM VALUES"
                        + " (array(1, 2, 3), array(array(1, 2, 3))),"
                        + " (array(2, 3, 4), array(array(2, 3, 4)))"
                        + " AS t(arraycol, nestedarraycol)");
        spark.sql(
                "CREATE TEMPORARY VIEW mapdata AS SELECT * FROM VALUES"
                        + " (map(1, 'a1', 2, 'b1', 3, 'c1', 4, 'd1', 5, 'e1')),"
                        + " (map(1, 'a2', 2, 'b2', 3, 'c2', 4, 'd2')),"
                        + " (map(1, 'a3', 2, 'b3', 3, 'c3')), (map(1, 'a4', 2, 'b4')),"
                        + " (map(1, 'a5')) AS t(mapcol)");
        table("aggtest", "a INT, b FLOAT", "agg.data");
        var wide =
                "unique1 INT, unique2 INT, two INT, four INT, ten INT, twenty INT, hundred INT,"
                        + " thousand INT, twothousand INT, fivethous INT, tenthous INT, odd INT,"
                        + " even INT, stringu1 STRING, stringu2 STRING, string4 STRING";
        table("onek", wide, "onek.data");
        table("tenk1", wide, "tenk.data");
    }

    private void table(String name, String schema, String file) throws Exception {
        var lines = List.of(read("test-data/postgresql/" + file).split("\n"));
        spark.read()
                .schema(schema)
                .option("delimiter", "\t")
                .csv(spark.createDataset(lines, org.apache.spark.sql.Encoders.STRING()))
                .createOrReplaceTempView(name);
    }

    private ObjectNode query(String sql) {
        var answer = JSON.createObjectNode();
        try {
            var rows = spark.sql(sql);
            var columns = answer.putArray("columns");
            for (var field : rows.schema().fields()) {
                columns.addObject()
                        .put("name", field.name())
                        .put("type", type(field))
                        .put("nullable", field.nullable());
            }
            var list = answer.putArray("rows");
            for (var row : rows.takeAsList(ROWS_MAX)) {
                list.add(values(row, rows.schema()));
            }
        } catch (Throwable e) {
            answer.removeAll();
            answer.put("error", String.valueOf(e.getMessage()).lines().findFirst().orElse(""));
            answer.put("phase", e instanceof AnalysisException ? "analysis" : "run");
        }
        return answer;
    }

    /** CHAR and VARCHAR, which are no types of values, are told of a table's columns. */
    private static String type(StructField field) {
        var written = "__CHAR_VARCHAR_TYPE_STRING";
        return field.metadata().contains(written)
                ? field.metadata().getString(written)
                : field.dataType().sql();
    }

    private static ArrayNode values(Row row, StructType type) {
        var values = JSON.createArrayNode();
        for (int i = 0; i < row.size(); i++) {
            values.add(value(row.get(i), type.fields()[i].dataType()));
        }
        return values;
    }

    private static JsonNode value(Object value, DataType type) {
        return switch (value) {
            case null -> JSON.nullNode();
            case Boolean truth -> JSON.getNodeFactory().booleanNode(truth);
            case byte[] bytes -> text(HexFormat.of().formatHex(bytes));
            case BigDecimal decimal -> text(decimal.toPlainString());
            case LocalDate date -> text(Long.toString(date.toEpochDay()));
            case Instant time -> text(micros(time));
            case LocalDateTime time -> text(micros(time.toInstant(ZoneOffset.UTC)));
            case scala.collection.Seq<?> list -> {
                var items = JSON.createArrayNode();
                var element = ((ArrayType) type).elementType();
                CollectionConverters.asJava(list).forEach(v -> items.add(value(v, element)));
                yield items;
            }
            case scala.collection.Map<?, ?> map -> {
                var pairs = new ArrayList<JsonNode>();
                var types = (MapType) type;
                CollectionConverters.asJava(map)
                        .forEach(
                                (k, v) ->
                                        pairs.add(
                                                JSON.createArrayNode()
                                                        .add(value(k, types.keyType()))
                                                        .add(value(v, types.valueType()))));
                pairs.sort(Comparator.comparing(JsonNode::toString));
                yield JSON.createArrayNode().addAll(pairs);
            }
            case Row row -> values(row, (StructType) type);
            case CalendarInterval interval -> text(interval.toString());
            default -> text(value.toString());
        };
    }

    private static JsonNode text(String text) {
        return JSON.getNodeFactory().textNode(text);
    }

    private static String micros(Instant time) {
        return Long.toString(
                Math.addExact(
                        Math.multiplyExact(time.getEpochSecond(), 1_000_000L),
                        time.getNano() / 1000));
    }
}
