package dev.lakemill.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import dev.lakemill.bench.EngineQueries.Outcome;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableSchema;
import java.io.IOException;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Asks each query of both engines and counts: accepted, refused, equal, wrong.
 *
 * <p>A query that Spark itself rejects is no query; if we accept it, it is wrong. One that Spark
 * fails to run must fail in ours. Names, types, NULLs and values must be the same, of doubles
 * twelve digits; rows may stand in another order, since both give a result without one.
 */
final class Conformance {
    /** What one suite came to. */
    static final class Counts {
        private final String suite;
        private final TreeMap<String, Integer> causes = new TreeMap<>();
        private final List<String> wrongs = new ArrayList<>();
        private int accepted;
        private int refused;
        private int equal;
        private int invalid;

        Counts(String suite) {
            this.suite = suite;
        }

        int accepted() {
            return accepted;
        }

        int refused() {
            return refused;
        }

        int equal() {
            return equal;
        }

        /** What we accepted and answered in another way than Spark. */
        List<String> wrongs() {
            return wrongs;
        }

        /** Another round's differences; a query that was equal before is so no more. */
        void addWrongs(Counts other) {
            wrongs.addAll(other.wrongs);
            equal = Math.min(equal, other.equal);
        }

        /** Why queries were refused, and how many for each cause. */
        Map<String, Integer> causes() {
            return causes;
        }

        double acceptedShare() {
            return accepted + refused == 0 ? 0 : (double) accepted / (accepted + refused);
        }

        /**
         * @param percentMin of the queries that must be accepted
         */
        void report(Report.Builder report, double percentMin) {
            report.figure(suite + "_accepted", accepted);
            report.figure(suite + "_refused", refused);
            report.figure(suite + "_equal", equal);
            report.figure(suite + "_wrong", wrongs.size());
            report.figure(suite + "_invalid_in_spark", invalid);
            report.figure(suite + "_accepted_percent", 100 * acceptedShare());
            report.check(
                    suite + "_accepts_%.0f_percent".formatted(percentMin),
                    100 * acceptedShare() >= percentMin);
            report.check(suite + "_equals_spark", wrongs.isEmpty() && equal == accepted);
        }
    }

    private final EngineQueries engine;
    private final SparkPeer spark;

    Conformance(EngineQueries engine, SparkPeer spark) {
        this.engine = engine;
        this.spark = spark;
    }

    /**
     * @param where for messages
     */
    void ask(Counts counts, String where, String query) throws IOException, SQLException {
        ask(counts, where, query, spark.query(query));
    }

    /**
     * @param theirs what Spark answered, be it to another text that means the same
     */
    void ask(Counts counts, String where, String query, JsonNode theirs)
            throws IOException, SQLException {
        var ours = ours(query);
        var isInvalid = "analysis".equals(theirs.path("phase").asText());
        if (ours instanceof Outcome.Refused refused) {
            if (isInvalid) {
                counts.invalid++;
            } else {
                counts.refused++;
                counts.causes.merge(cause(refused), 1, Integer::sum);
                tell("refused", where, query, refused.error().toString());
            }
            return;
        }
        counts.accepted++;
        var difference = difference(ours, theirs);
        if (difference.isEmpty()) {
            counts.equal++;
        } else {
            counts.wrongs.add(where + ": " + query + "\n   " + difference.get());
            tell("wrong", where, query, difference.get());
        }
    }

    private static void tell(String what, String where, String query, String why) {
        if (Boolean.getBoolean("lakemill.conformance.tell")) {
            System.err.printf("%s\t%s\t%s\t%s%n", what, where, query.replace('\n', ' '), why);
        }
    }

    /** With the tables that the query reads brought from Spark. */
    private Outcome ours(String query) throws IOException, SQLException {
        while (true) {
            var outcome = engine.run(query);
            if (!(outcome instanceof Outcome.Missing missing)) {
                return outcome;
            }
            var name = missing.table();
            var rows = spark.query("SELECT * FROM " + name);
            var schema = schema(rows);
            if (schema.isEmpty()) {
                return refused("a table of other types");
            }
            try {
                engine.table(name, schema.get(), rows.get("rows"));
            } catch (LakemillException | SQLException _) {
                return refused("a table that no table of ours can be");
            }
        }
    }

    private static Outcome refused(String what) {
        return new Outcome.Refused(
                new dev.lakemill.plan.TextError(
                        new dev.lakemill.plan.SourcePosition("query.sql", 1, 1), what, ""));
    }

    private static Optional<TableSchema> schema(JsonNode answer) {
        if (answer.has("error")) {
            return Optional.empty();
        }
        try {
            return Optional.of(
                    new TableSchema(
                            TypedValues.items(answer.get("columns")).stream()
                                    .map(Conformance::column)
                                    .toList()));
        } catch (LakemillException _) {
            return Optional.empty();
        }
    }

    private static Column column(JsonNode column) {
        var type = DataType.parse(column.get("type").asText());
        return new Column(
                column.get("name").asText(), type, column.get("nullable").asBoolean(), "");
    }

    private static String cause(Outcome.Refused refused) {
        return refused.error()
                .message()
                .replaceAll("^query.sql:\\d+:\\d+: ", "")
                .replaceAll("'[^']*'|\"[^\"]*\"|`[^`]*`", "…");
    }

    private static Optional<String> difference(Outcome ours, JsonNode theirs) {
        return switch (ours) {
            case Outcome.Missing missing -> Optional.of("a lost table: " + missing);
            case Outcome.Refused refused -> Optional.of("refused: " + refused);
            case Outcome.Failed failed ->
                    theirs.has("error")
                            ? Optional.empty()
                            : Optional.of(
                                    "fails: %s\n   %s".formatted(failed.message(), failed.sql()));
            case Outcome.Answered answered ->
                    theirs.has("error")
                            ? Optional.of("Spark fails: " + theirs.get("error").asText())
                            : difference(answered, theirs);
        };
    }

    private static Optional<String> difference(Outcome.Answered ours, JsonNode theirs) {
        var types =
                TypedValues.items(theirs.get("columns")).stream()
                        .map(c -> c.get("type").asText())
                        .toList();
        try {
            var parsed = types.stream().map(DataType::parse).toList();
            if (!told(parsed).equals(told(ours.types()))) {
                return Optional.of("types %s, Spark's %s".formatted(told(ours.types()), types));
            }
        } catch (LakemillException _) {
            return Optional.of("types %s, Spark's %s".formatted(told(ours.types()), types));
        }
        var rows =
                TypedValues.items(theirs.get("rows")).stream().map(ArrayNode.class::cast).toList();
        return TypedValues.same(ours.rows(), rows, ours.types())
                ? Optional.empty()
                : Optional.of(
                        "ours  %s\n   Spark %s\n   %s"
                                .formatted(some(ours.rows()), some(rows), ours.sql()));
    }

    private static String told(List<DataType> types) {
        return types.stream().map(DataType::sql).collect(Collectors.joining(", "));
    }

    private static String some(List<ArrayNode> rows) {
        return rows.size()
                + " rows "
                + rows.stream()
                        .map(ArrayNode::toString)
                        .sorted()
                        .limit(12)
                        .collect(Collectors.joining(" "));
    }
}
