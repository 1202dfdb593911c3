package dev.lakemill.compiler;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.plan.Compilation;
import dev.lakemill.plan.CompileRequest;
import dev.lakemill.plan.Dataset;
import dev.lakemill.plan.ModelReference;
import dev.lakemill.plan.ModelUse;
import dev.lakemill.plan.PlanJson;
import dev.lakemill.plan.Relations;
import dev.lakemill.plan.SourceText;
import dev.lakemill.plan.TextError;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class PredictTest {
    private static final List<ModelReference> MODELS =
            List.of(
                    new ModelReference.Resolved(
                            "a.ml.m@champion",
                            "a.ml.m",
                            7,
                            List.of(
                                    Column.required("price", Primitive.DOUBLE),
                                    Column.nullable("days", Primitive.LONG)),
                            Primitive.DOUBLE),
                    new ModelReference.Unresolved(
                            "a.ml.m@gone", "a.ml.m has no alias 'gone'", "set it"));

    @Test
    void aCallHasTheTypesOfTheSignatureAndAFixedVersion() {
        var text =
                "SELECT PREDICT('a.ml.m@champion', p, i) AS s, model_version('a.ml.m@champion') AS"
                        + " v FROM a.b.t";
        var compiled = (Compilation.Compiled) compile(text);
        assertThat(PlanJson.read(PlanJson.write(compiled.plan()))).isEqualTo(compiled.plan());
        var view = (Dataset.MaterializedView) compiled.plan().datasets().getLast();
        assertThat(view.schema().columns())
                .containsExactly(
                        Column.required("s", Primitive.DOUBLE),
                        Column.required("v", Primitive.INTEGER));
        assertThat(Relations.models(view.query())).containsExactly(new ModelUse("a.ml.m", 7));
    }

    @Test
    void eachMistakeIsOneErrorAtItsPlace() {
        assertThat(errors("SELECT predict('a.ml.m@champion', p) AS s FROM a.b.t"))
                .singleElement()
                .asString()
                .contains("v.sql:2:8")
                .contains("takes 2 features, not 1")
                .contains("price DOUBLE, days BIGINT");
        assertThat(errors("SELECT predict('a.ml.m@champion', s, i) AS s FROM a.b.t"))
                .singleElement()
                .asString()
                .contains("v.sql:2:35")
                .contains("feature 'price' of a.ml.m, version 7, is DOUBLE, not STRING");
        assertThat(errors("SELECT predict('a.ml.m@champion', NULL, i) AS s FROM a.b.t"))
                .singleElement()
                .asString()
                .contains("v.sql:2:35")
                .contains("feature 'price' of a.ml.m, version 7, is NULL");
        assertThat(errors("SELECT predict('a.ml.m@gone', p, i) AS s FROM a.b.t"))
                .singleElement()
                .asString()
                .contains("v.sql:2:16")
                .contains("a.ml.m has no alias 'gone'");
        assertThat(errors("SELECT predict(s, p, i) AS s FROM a.b.t"))
                .singleElement()
                .asString()
                .contains("v.sql:2:16")
                .contains("needs the model's name as a constant first");
        assertThat(errors("SELECT model_version('a.ml.x@y') AS s FROM a.b.t"))
                .singleElement()
                .asString()
                .contains("v.sql:2:22")
                .contains("there is no model 'a.ml.x@y'");
        assertThat(errors("SELECT predict('a.ml.m@champion', p, p) AS s FROM a.b.t")).hasSize(1);
    }

    @Test
    void referencesAreFoundInTexts() {
        var text =
                new SourceText(
                        "v.sql",
                        "SELECT Predict ( 'x.y.z@a', 1), model_version(\"x.y.z/3\"), predict(c) --"
                                + " predict('no')");
        assertThat(ModelReference.writtenIn(List.of(text, new SourceText("b", "'"))))
                .containsExactly("x.y.z@a", "x.y.z/3");
    }

    private static List<String> errors(String query) {
        return ((Compilation.Rejected) compile(query))
                .errors().stream().map(TextError::toString).toList();
    }

    private static Compilation compile(String query) {
        var text =
                "CREATE TABLE a.b.t (p DOUBLE, i INT, s STRING); CREATE MATERIALIZED VIEW a.b.v"
                        + " AS\n"
                        + query
                        + ";";
        return PipelineCompiler.compile(
                new Catalyst(MODELS, List.of()),
                new CompileRequest(
                        "p",
                        List.of(new SourceText("v.sql", text)),
                        Map.of(),
                        List.of(),
                        List.of(),
                        MODELS,
                        List.of(),
                        "h"));
    }
}
