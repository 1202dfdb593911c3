package dev.lakemill.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.plan.SourcePosition;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/**
 * Goes through all of Unicode. Java's rules stand in for Spark's; the compiler's tests hold the two
 * to each other.
 */
final class DuckLettersTest {
    private static final SourcePosition POSITION = new SourcePosition("a.sql", 1, 1);

    @Test
    void everyLetterBecomesWhatItBecomesInSparkOrAnError() throws SQLException {
        assertThat(differences("upper", text -> text.toUpperCase(Locale.ROOT))).isEmpty();
        assertThat(differences("lower", text -> text.toLowerCase(Locale.ROOT))).isEmpty();
    }

    private static List<String> differences(String name, UnaryOperator<String> java)
            throws SQLException {
        var printed =
                name.equals("upper")
                        ? DuckLetters.upper("c", POSITION)
                        : DuckLetters.lower("c", POSITION);
        var letters =
                "SELECT chr(i::INTEGER) AS c FROM range(1, 1114112) t(i)"
                        + " WHERE i NOT BETWEEN 55296 AND 57343";
        var differences = new ArrayList<String>();
        try (var duck = DriverManager.getConnection("jdbc:duckdb:")) {
            // An error ends the statement, so the letters that give one are asked for as text.
            var asText = printed.replaceAll("error\\(.*? at a\\.sql:1:1'\\)", "'error'");
            read(duck, "SELECT c, %s FROM (%s)".formatted(asText, letters), java, differences);
        }
        return differences;
    }

    private static void read(
            Connection duck, String sql, UnaryOperator<String> java, List<String> differences)
            throws SQLException {
        try (var statement = duck.createStatement();
                var result = statement.executeQuery(sql)) {
            while (result.next()) {
                var expected = java.apply(result.getString(1));
                var actual = result.getString(2);
                if (!actual.equals(expected) && !actual.equals("error")) {
                    differences.add(result.getString(1) + " " + expected + " " + actual);
                }
            }
        }
    }
}
