package dev.lakemill.api.agent;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.math.BigDecimal;
import java.util.ArrayList;

/**
 * A row that a query gave, as it is kept in the run's journal.
 *
 * @param values by name of column
 */
public record Row(ObjectNode values) {
    /** The value of a column; a JSON null for NULL. INVALID_ARGUMENT when there is none. */
    public JsonNode get(String column) {
        var value = values.get(column);
        if (value == null) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "the query gives no column '%s'".formatted(column),
                    "it gives " + names());
        }
        return value;
    }

    private String names() {
        var names = new ArrayList<String>();
        values.fieldNames().forEachRemaining(names::add);
        return String.join(", ", names);
    }

    /** Numbers without an exponent, with all their digits. */
    public String text(String column) {
        var value = get(column);
        return value.isBigDecimal() ? value.decimalValue().toPlainString() : value.asText();
    }

    public long number(String column) {
        return get(column).asLong();
    }

    public BigDecimal decimal(String column) {
        return get(column).decimalValue();
    }
}
