package dev.lakemill.farm.app;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.StringWriter;
import java.math.BigDecimal;
import java.sql.Date;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import org.jspecify.annotations.Nullable;

/** Rows as the live protocol tells them: columns once, then each row's values in their order. */
final class TableJson {
    private static final JsonFactory JSON = new JsonFactory();

    private TableJson() {}

    /** An object with table, columns and rows, which is left open for the batch. */
    static String open(String table, ResultSet rows) throws SQLException {
        var text = new StringWriter();
        try (var out = JSON.createGenerator(text)) {
            out.disable(JsonGenerator.Feature.AUTO_CLOSE_JSON_CONTENT);
            out.writeStartObject();
            out.writeStringField("table", table);
            var columns = rows.getMetaData().getColumnCount();
            out.writeArrayFieldStart("columns");
            for (int i = 1; i <= columns; i++) {
                out.writeString(rows.getMetaData().getColumnName(i));
            }
            out.writeEndArray();
            out.writeArrayFieldStart("rows");
            while (rows.next()) {
                out.writeStartArray();
                for (int i = 1; i <= columns; i++) {
                    write(out, rows.getObject(i));
                }
                out.writeEndArray();
            }
            out.writeEndArray();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        return text.toString();
    }

    /** Times as ISO 8601 in UTC, numbers as numbers, NaN as null. */
    private static void write(JsonGenerator out, @Nullable Object value) throws IOException {
        switch (value) {
            case null -> out.writeNull();
            case String text -> out.writeString(text);
            case Boolean truth -> out.writeBoolean(truth);
            case BigDecimal number -> out.writeNumber(number);
            case Double number when !Double.isFinite(number) -> out.writeNull();
            case Double number -> out.writeNumber(number);
            case Float number when !Float.isFinite(number) -> out.writeNull();
            case Float number -> out.writeNumber(number);
            case Number number -> out.writeNumber(number.longValue());
            case Timestamp time -> out.writeString(time.toInstant().toString());
            case Date date -> out.writeString(date.toLocalDate().toString());
            default -> out.writeString(value.toString());
        }
    }
}
