package dev.lakemill.server;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.math.BigDecimal;
import java.sql.Date;
import java.sql.Timestamp;
import java.time.ZoneOffset;
import org.jspecify.annotations.Nullable;

/** Postgres values as JSON: times as ISO 8601 in UTC, numbers as numbers, NaN as null. */
final class JsonValues {
    private JsonValues() {}

    static void write(JsonGenerator out, @Nullable Object value) throws IOException {
        switch (value) {
            case null -> out.writeNull();
            case String text -> out.writeString(text);
            case Boolean truth -> out.writeBoolean(truth);
            case BigDecimal number -> out.writeNumber(number);
            case Double number when !Double.isFinite(number) -> out.writeNull();
            case Float number when !Float.isFinite(number) -> out.writeNull();
            case Double number -> out.writeNumber(number);
            case Float number -> out.writeNumber(number);
            case Number number -> out.writeNumber(number.longValue());
            case Timestamp time -> out.writeString(time.toInstant().toString());
            case Date date ->
                    out.writeString(
                            date.toLocalDate()
                                    .atStartOfDay()
                                    .toInstant(ZoneOffset.UTC)
                                    .toString()
                                    .substring(0, 10));
            case byte[] bytes -> out.writeBinary(bytes);
            default -> out.writeString(value.toString());
        }
    }
}
