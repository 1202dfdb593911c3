package dev.lakemill.compiler;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.plan.Fragment;
import dev.lakemill.plan.SourceText;
import dev.lakemill.plan.SqlCompilation;
import dev.lakemill.plan.SqlRequest;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the two engines do not say alike is refused, and no text ends the compiler. */
final class RefusedFormsTest {
    private static final String T = " FROM VALUES (1, 2) AS t(a, b) ";

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT (SELECT x FROM VALUES (1, 2) AS u(x, y) WHERE y = b ORDER BY x LIMIT 1)"
                        + T,
                "SELECT a" + T + "LEFT JOIN VALUES (1) AS u(x) ON a = x AND b IN (SELECT 1)",
                "SELECT a" + T + "LEFT JOIN VALUES (1) AS u(x) ON EXISTS (SELECT 1 WHERE x = 1)",
                "SELECT a"
                        + T
                        + "JOIN VALUES (1) AS u(x) ON EXISTS (SELECT 1 FROM VALUES (1) AS v(y)"
                        + " WHERE y = a AND y = x)",
                "SELECT * EXCEPT (a, b)" + T,
                "SELECT a FROM (SELECT a" + T + "ORDER BY b) WHERE a > 0 LIMIT 1",
                "SELECT last(a) OVER (PARTITION BY b)" + T,
                "SELECT first(a) FILTER (WHERE b > 0) OVER (ORDER BY b)" + T,
                "SELECT struct(a AS x) AS s" + T + "UNION ALL SELECT struct(b AS y)" + T,
                "SELECT named_struct('x', struct(), 'y', a)" + T
            })
    void isRefusedWithItsPlace(String text) {
        var compilation = compile(text);
        assertThat(compilation).isInstanceOf(SqlCompilation.Rejected.class);
        var error = ((SqlCompilation.Rejected) compilation).errors().getFirst();
        assertThat(error.position().file()).isEqualTo("query.sql");
        assertThat(error.message()).isNotBlank();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT regexp_substr('a1', '[0-9]')",
                "SELECT explode(map())",
                "SELECT try_make_timestamp(2024, 1, 1, 1, 1, 61)",
                "SELECT stack(3, a, b)" + T
            })
    void isAnswered(String text) {
        assertThat(compile(text)).isNotNull();
    }

    @Test
    void textThatIsNestedTooDeeplyIsRefused() {
        assertThat(compile("SELECT " + "abs(".repeat(3_000) + "a" + ")".repeat(3_000) + T))
                .isInstanceOf(SqlCompilation.Rejected.class);
    }

    private static SqlCompilation compile(String text) {
        return SqlCompiler.compile(
                new Catalyst(),
                new SqlRequest.Query(Fragment.all(new SourceText("query.sql", text)), List.of()));
    }
}
