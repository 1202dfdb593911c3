package dev.lakemill.compiler;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.plan.Compilation;
import dev.lakemill.plan.CompileRequest;
import dev.lakemill.plan.Dataset;
import dev.lakemill.plan.PipelinePlan;
import dev.lakemill.plan.PlanJson;
import dev.lakemill.plan.Question;
import dev.lakemill.plan.SourceText;
import dev.lakemill.plan.TextError;
import dev.lakemill.types.DataType.Primitive;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class QuestionsTest {
    private static final String TABLE = "CREATE TABLE a.b.t (id INT, s STRING, ok BOOLEAN);\n";

    @Test
    void asksWithParametersOfOneForm() {
        var plan =
                plan(
                        """
                        SELECT id, ai_query('w', 'Sum up: ' || s,
                          responseFormat => 'json_object',
                          modelParameters => named_struct('max_tokens', 10 + 1, 'temperature', 0.5))
                          AS said FROM a.b.t WHERE id > 1""");
        var view = (Dataset.MaterializedView) plan.datasets().getLast();
        assertThat(view.schema().columns().getLast().type()).isEqualTo(Primitive.STRING);
        assertThat(Question.endpoints(plan)).containsExactly("w");
        assertThat(Question.isAskedIn(view.query())).isTrue();
        assertThat(PlanJson.write(plan))
                .contains(
                        "{\\\"max_tokens\\\":11,\\\"temperature\\\":0.5,\\\"response_format\\\":{\\\"type\\\":\\\"json_object\\\"}}");
    }

    @Test
    void anErrorIsAValueWhereItIsToBe() {
        var plan = plan("SELECT id, ai_query('w', s, failOnError => false) AS said FROM a.b.t");
        var view = (Dataset.MaterializedView) plan.datasets().getLast();
        assertThat(view.schema().columns().getLast().type()).isEqualTo(Question.RESULT_OR_ERROR);
        var parts =
                plan(
                        "SELECT upper(q.said.result) AS r FROM (SELECT ai_query('w', s, failOnError"
                                + " => false) AS said FROM a.b.t) q");
        assertThat(Question.endpoints(parts)).containsExactly("w");
        assertThat(
                        Question.endpoints(
                                plan(
                                        "SELECT CASE WHEN ai_query('w', s) = 'yes' THEN 1 ELSE 0"
                                                + " END AS y FROM a.b.t")))
                .containsExactly("w");
    }

    @Test
    void mayStandNowhereElse() {
        for (var query :
                List.of(
                        "SELECT id FROM a.b.t WHERE\nai_query('w', s) = 'x'",
                        "SELECT id FROM a.b.t ORDER BY\nai_query('w', s)",
                        "SELECT max(\nai_query('w', s)) AS m FROM a.b.t",
                        "SELECT DISTINCT\nai_query('w', s) AS m FROM a.b.t",
                        "SELECT\nai_query('w', s) AS m FROM a.b.t ORDER BY id LIMIT 3",
                        "SELECT id FROM a.b.t UNION ALL SELECT length(\nai_query('w', s)) FROM a.b.t",
                        "SELECT CASE WHEN ok THEN\nai_query('w', s) END AS m FROM a.b.t",
                        "SELECT ai_query('w',\nai_query('w', s)) AS m FROM a.b.t",
                        "SELECT id, (SELECT max(said) FROM (SELECT\nai_query('w', s) AS said FROM"
                                + " a.b.t)) AS m FROM a.b.t")) {
            assertThat(errors(view(query)))
                    .as(query)
                    .singleElement()
                    .asString()
                    .startsWith("v.sql:3:")
                    .contains(Questions.PLACE, "in the SELECT list of a view of its own");
        }
        assertThat(
                        errors(
                                TABLE
                                        + "CREATE STREAMING TABLE a.b.v AS SELECT\nai_query('w', s)"
                                        + " AS m FROM STREAM a.b.t;"))
                .singleElement()
                .asString()
                .startsWith("v.sql:3:1")
                .contains(Questions.PLACE);
        assertThat(
                        errors(
                                TABLE
                                        + "CREATE MATERIALIZED VIEW a.b.v (CONSTRAINT c EXPECT\n"
                                        + "(ai_query('w', s) = 'x')) AS SELECT s FROM a.b.t;"))
                .singleElement()
                .asString()
                .contains(Questions.PLACE);
    }

    @Test
    void tellsWhatIsWrongWithACall() {
        assertThat(error("ai_query('w')")).contains("needs an endpoint and a prompt");
        assertThat(error("ai_query('w', s, false)")).contains("the rest by name");
        assertThat(error("ai_query(s, s)")).contains("the endpoint of ai_query is a constant text");
        assertThat(error("ai_query('w', id)")).contains("the prompt is INT, not STRING");
        assertThat(error("ai_query('w', s, failOnError => ok)"))
                .contains("failOnError is a constant");
        assertThat(error("ai_query('w', s, files => s)")).contains("has no argument 'files'");
        assertThat(error("ai_query('w', s, modelParameters => named_struct('n', 2))"))
                .contains("there is no model parameter 'n'");
        assertThat(error("ai_query('w', s, modelParameters => named_struct('seed', id))"))
                .contains("modelParameters is a constant struct");
        assertThat(error("ai_query('w', s, responseFormat => 'xml')"))
                .contains("this is no response format");
    }

    private static String error(String call) {
        return errors(view("SELECT\n" + call + " AS m FROM a.b.t")).getFirst();
    }

    private static String view(String query) {
        return TABLE + "CREATE MATERIALIZED VIEW a.b.v AS " + query + ";";
    }

    private static PipelinePlan plan(String query) {
        return compile(view(query)).orThrow();
    }

    private static List<String> errors(String text) {
        return ((Compilation.Rejected) compile(text))
                .errors().stream().map(TextError::toString).toList();
    }

    private static Compilation compile(String text) {
        return PipelineCompiler.compile(
                new Catalyst(),
                new CompileRequest(
                        "p",
                        List.of(new SourceText("v.sql", text)),
                        Map.of(),
                        List.of(),
                        List.of(),
                        List.of(),
                        List.of(),
                        "h"));
    }
}
