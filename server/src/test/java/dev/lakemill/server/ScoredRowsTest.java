package dev.lakemill.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lakemill.pipeline.ModelSignature;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Rows of a request to score, as the signature wants them. */
final class ScoredRowsTest {
    private static final ModelSignature SIGNATURE =
            new ModelSignature(
                    List.of(
                            new Column("d", Primitive.DOUBLE, true, ""),
                            new Column("n", Primitive.LONG, false, ""),
                            new Column("b", Primitive.BOOLEAN, false, "")),
                    Primitive.DOUBLE);

    @Test
    void wholeNumbersKeepEachDigit() throws Exception {
        var rows = rows("[0.5, 9007199254740993, true], [null, 3.0, 0]");
        assertThat(rows.wholes().get(0)).containsExactly(0, 9007199254740993L, 1);
        assertThat(rows.wholes().get(1)).containsExactly(0, 3, 0);
        assertThat(rows.numbers().get(1)).containsExactly(Double.NaN, 3, 0);
    }

    @Test
    void whatIsNoValueOfItsFeatureIsRefused() {
        assertThatThrownBy(() -> rows("[0, 1, true], [0, 1.5, true]"))
                .hasMessageContaining("feature 'n' of row 2 is 1.5, not a BIGINT");
        assertThatThrownBy(() -> rows("[0, 9223372036854775808, true]"))
                .hasMessageContaining("feature 'n' of row 1 is 9223372036854775808");
        assertThatThrownBy(() -> rows("[0, 1e300, true]")).hasMessageContaining("feature 'n'");
        assertThatThrownBy(() -> rows("[0, 1, 7]"))
                .hasMessageContaining("feature 'b' of row 1 is 7, not a BOOLEAN");
        assertThatThrownBy(() -> rows("[0, null, true]")).hasMessageContaining("is null");
        assertThatThrownBy(() -> rows("[\"0\", 1, true]")).hasMessageContaining("feature 'd'");
        assertThatThrownBy(() -> rows("[0, 1]")).hasMessageContaining("'b' of row 1 is missing");
    }

    private static ScoredRows rows(String rows) throws JsonProcessingException {
        var request = "{\"dataframe_split\": {\"data\": [%s]}}".formatted(rows);
        return ScoredRows.of(new ObjectMapper().readTree(request), SIGNATURE);
    }
}
