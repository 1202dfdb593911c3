package dev.lakemill.compiler;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.spark.SparkThrowable;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.CommonExpressionRef;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.InterpretedProjection;
import org.apache.spark.sql.catalyst.expressions.NamedExpression;
import org.apache.spark.sql.catalyst.expressions.With;
import org.apache.spark.sql.catalyst.optimizer.ComputeCurrentTime;
import org.apache.spark.sql.catalyst.optimizer.ReplaceExpressions;
import org.apache.spark.sql.catalyst.plans.logical.LocalRelation;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.Project;
import org.apache.spark.sql.catalyst.util.ArrayData;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.Decimal;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Holds {@code differential/goldens.json} to what Spark itself answers. The printer's tests compare
 * DuckDB's answers with that file, without Spark.
 *
 * <p>{@code -Dlakemill.goldens=write} writes the file anew.
 */
final class SparkGoldensTest {
    private static final Path FOLDER = Path.of("src/test/resources/differential");
    private static final Pattern PREFIX = Pattern.compile("(?i)\\btest\\.t\\.");

    private final ObjectMapper mapper = new ObjectMapper();

    @Test
    void goldensAreWhatSparkAnswers() throws IOException {
        var answers = mapper.valueToTree(answers());
        var file = FOLDER.resolve("goldens.json");
        if ("write".equals(System.getProperty("lakemill.goldens"))) {
            var printer = new DefaultPrettyPrinter();
            printer.indentObjectsWith(DefaultIndenter.SYSTEM_LINEFEED_INSTANCE);
            Files.writeString(file, mapper.writer(printer).writeValueAsString(answers) + "\n");
        }
        assertThat(mapper.readTree(file.toFile())).isEqualTo(answers);
    }

    private static Map<String, Object> answers() throws IOException {
        try (var spark =
                SparkSession.builder()
                        .master("local[1]")
                        .config("spark.ui.enabled", "false")
                        .config("spark.sql.session.timeZone", "UTC")
                        .config("spark.sql.datetime.java8API.enabled", "true")
                        .config("spark.sql.codegen.wholeStage", "false")
                        .config("spark.sql.codegen.factoryMode", "NO_CODEGEN")
                        .config("spark.sql.shuffle.partitions", "1")
                        .config("spark.driver.host", "127.0.0.1")
                        .config("spark.driver.bindAddress", "127.0.0.1")
                        .getOrCreate()) {
            var answers = new LinkedHashMap<String, Object>();
            answers.put("tables", tables(spark));
            answers.put("expressions", expressions(spark));
            answers.put("queries", queries(spark));
            return answers;
        }
    }

    private static Map<String, Object> tables(SparkSession spark) throws IOException {
        var tables = new LinkedHashMap<String, Object>();
        for (var part : statements("tables.sql")) {
            if (part.startsWith("CREATE TABLE")) {
                tables.put(PREFIX.matcher(part).replaceAll("").split("[ (]+")[2], part);
                continue;
            }
            var last = List.copyOf(tables.entrySet()).getLast();
            var ddl = last.getValue().toString();
            var schema =
                    StructType.fromDDL(ddl.substring(ddl.indexOf('(') + 1, ddl.lastIndexOf(')')));
            var columns =
                    Arrays.stream(schema.fields())
                            .map(
                                    f ->
                                            "CAST(%s AS %s) AS %s"
                                                    .formatted(
                                                            f.name(), f.dataType().sql(), f.name()))
                            .toArray(String[]::new);
            var list = spark.sql(part).selectExpr(columns).collectAsList();
            var rows = spark.createDataFrame(list, schema);
            rows.createOrReplaceTempView(last.getKey());
            tables.put(last.getKey(), table(rows));
        }
        return tables;
    }

    /** All in one analysis, then each row by row in Spark's interpreter. */
    private static Map<String, Object> expressions(SparkSession spark) throws IOException {
        var texts =
                Files.readAllLines(FOLDER.resolve("expressions.txt")).stream()
                        .filter(line -> !line.isBlank() && !line.startsWith("--"))
                        .map(line -> line.startsWith("~ ") ? line.substring(2) : line)
                        .toList();
        var list =
                IntStream.range(0, texts.size())
                        .mapToObj(i -> texts.get(i) + " AS r" + i)
                        .collect(Collectors.joining(", "));
        var analyzed = spark.sql("SELECT %s FROM v".formatted(list)).queryExecution().analyzed();
        var project = (Project) ReplaceExpressions.apply(ComputeCurrentTime.apply(analyzed));
        var computed = Scala.<NamedExpression>list(project.projectList());
        var rows = (LocalRelation) Scala.<LogicalPlan>list(project.collectLeaves()).getFirst();
        var answers = new LinkedHashMap<String, Object>();
        for (int i = 0; i < texts.size(); i++) {
            answers.put(texts.get(i), expression((Expression) computed.get(i), rows));
        }
        return answers;
    }

    /** Row by row, so that one row's error is its own. */
    private static Map<String, Object> expression(Expression expression, LocalRelation table) {
        var type = expression.dataType();
        var projection =
                new InterpretedProjection(
                        Scala.seq(List.of(withoutShared(expression))), table.output());
        var values = new ArrayList<@Nullable Object>();
        for (var row : Scala.<InternalRow>list(table.data())) {
            try {
                values.add(internal(projection.apply(row).get(0, type), type));
            } catch (Exception e) {
                values.add(error(e));
            }
        }
        var answer = new LinkedHashMap<String, Object>();
        answer.put("type", type.sql());
        answer.put("values", values);
        return answer;
    }

    /** Parts that Spark computes once and names are put where they are used. */
    private static Expression withoutShared(Expression expression) {
        return expression.transformUp(
                Scala.change(
                        e -> e instanceof With,
                        e ->
                                ((With) e)
                                        .child()
                                        .transform(
                                                Scala.change(
                                                        r -> r instanceof CommonExpressionRef,
                                                        r -> shared((With) e, r)))));
    }

    private static Expression shared(With with, Expression reference) {
        return Scala.list(with.defs()).stream()
                .filter(d -> d.id().equals(((CommonExpressionRef) reference).id()))
                .findFirst()
                .orElseThrow()
                .child();
    }

    private static @Nullable Object internal(@Nullable Object value, DataType type) {
        return switch (value) {
            case null -> null;
            case byte[] bytes -> HexFormat.of().formatHex(bytes);
            case Decimal decimal -> decimal.toJavaBigDecimal().toPlainString();
            case ArrayData array -> {
                var element = ((ArrayType) type).elementType();
                yield Arrays.stream(array.toObjectArray(element))
                        .map(v -> internal(v, element))
                        .toList();
            }
            default -> value.toString();
        };
    }

    private static String error(Throwable e) {
        for (var cause = e; cause != null; cause = cause.getCause()) {
            if (cause instanceof SparkThrowable spark && spark.getCondition() != null) {
                return "!" + spark.getCondition();
            }
        }
        return "!" + e;
    }

    private static Map<String, Object> queries(SparkSession spark) throws IOException {
        var answers = new LinkedHashMap<String, Object>();
        for (var query : statements("queries.sql")) {
            var rows = spark.sql(PREFIX.matcher(query).replaceAll(""));
            try {
                answers.put(query, table(rows));
            } catch (Exception e) {
                answers.put(query, Map.of("error", error(e)));
            }
        }
        return answers;
    }

    private static Map<String, Object> table(Dataset<Row> rows) {
        var answer = new LinkedHashMap<String, Object>();
        answer.put("columns", List.of(rows.schema().fieldNames()));
        answer.put(
                "types",
                Arrays.stream(rows.schema().fields()).map(f -> f.dataType().sql()).toList());
        answer.put(
                "rows",
                rows.collectAsList().stream()
                        .map(
                                row ->
                                        IntStream.range(0, row.size())
                                                .mapToObj(i -> value(row.get(i)))
                                                .toList())
                        .sorted(Comparator.comparing(List::toString))
                        .toList());
        return answer;
    }

    /** As in a plan's literals; an array is a list. */
    private static @Nullable Object value(@Nullable Object value) {
        return switch (value) {
            case null -> null;
            case byte[] bytes -> HexFormat.of().formatHex(bytes);
            case BigDecimal decimal -> decimal.toPlainString();
            case LocalDate date -> Long.toString(date.toEpochDay());
            case Instant time -> Long.toString(micros(time));
            case LocalDateTime time -> Long.toString(micros(time.toInstant(ZoneOffset.UTC)));
            case scala.collection.Seq<?> list ->
                    CollectionConverters.asJava(list).stream().map(v -> value(v)).toList();
            default -> value.toString();
        };
    }

    private static long micros(Instant time) {
        return Math.addExact(
                Math.multiplyExact(time.getEpochSecond(), 1_000_000L), time.getNano() / 1000);
    }

    private static List<String> statements(String file) throws IOException {
        var text = Files.readString(FOLDER.resolve(file)).replaceAll("(?m)^--.*\n", "");
        return Arrays.stream(text.split(";\n"))
                .map(String::strip)
                .filter(s -> !s.isEmpty())
                .toList();
    }
}
