package dev.lakemill.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.TableSchema;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.apache.arrow.memory.RootAllocator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What JSON records may say, and what is told when they may not. */
final class JsonEncoderTest {

    private static byte @Nullable [] encode(TableSchema schema, String json) {
        var out = new RowWriter(1 << 20);
        int begin = out.beginLength();
        var bytes = json.getBytes(StandardCharsets.UTF_8);
        new JsonEncoder(schema).encode(bytes, 0, bytes.length, out);
        out.endLength(begin);
        return out.toByteArray();
    }

    private static TableSchema column(String type) {
        return TableSchema.of(Column.nullable("c", DataType.parse(type)));
    }

    private static @Nullable Object value(String type, String json) {
        var schema = column(type);
        var payload = encode(schema, "{\"c\":" + json + "}");
        try (var allocator = new RootAllocator();
                var rows = new RowDecoder(schema).decode(List.of(payload), 1, allocator)) {
            return VectorValues.rows(rows).getFirst()[0];
        }
    }

    private static RefusedRow refused(TableSchema schema, String json) {
        return catchThrowableOfType(RefusedRow.class, () -> encode(schema, json));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\0',
            textBlock =
                    """
                    DATE | "1970-01-02" | 1
                    DATE | -1 | -1
                    DATE | "0001-01-01" | -719162
                    DATE | "9999-12-31" | 2932896
                    TIMESTAMP | "1970-01-01T00:00:01Z" | 1000000
                    TIMESTAMP | "1970-01-01T00:00:01" | 1000000
                    TIMESTAMP | "1970-01-01 01:00:01+01:00" | 1000000
                    TIMESTAMP | "1970-01-01T01:00:01.5+0100" | 1500000
                    TIMESTAMP | "1969-12-31T23:59:59.999999Z" | -1
                    TIMESTAMP | "1970-01-01T00:00:00.123456789Z" | 123456
                    TIMESTAMP | "1970-01-01T00:01Z" | 60000000
                    TIMESTAMP | 17 | 17
                    TIMESTAMP_NTZ | "1970-01-01T00:00:01.25" | 1250000
                    BIGINT | 9223372036854775807 | 9223372036854775807
                    TINYINT | -128 | -128
                    DOUBLE | "NaN" | NaN
                    DOUBLE | "-Infinity" | -Infinity
                    DOUBLE | 3 | 3.0
                    FLOAT | 0.1 | 0.1
                    STRING | "\\u00e9\\ud83c\\udf31" | é🌱
                    """)
    void aValueIsReadAs(String type, String json, String expected) {
        assertThat(String.valueOf(value(type, json))).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\0',
            textBlock =
                    """
                    DECIMAL(5,2) | 123.45 | 123.45
                    DECIMAL(5,2) | "-999.99" | -999.99
                    DECIMAL(5,2) | 1.5e2 | 150.00
                    DECIMAL(5,2) | 7.5000 | 7.50
                    DECIMAL(5,2) | 0e99999 | 0.00
                    DECIMAL(38,0) | 99999999999999999999999999999999999999 | 99999999999999999999999999999999999999
                    DECIMAL(38,38) | "-0.00000000000000000000000000000000000001" | -0.00000000000000000000000000000000000001
                    DECIMAL(18,0) | -999999999999999999 | -999999999999999999
                    """)
    void aDecimalIsReadExactly(String type, String json, String expected) {
        assertThat(value(type, json)).isEqualTo(new BigDecimal(expected));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\0',
            textBlock =
                    """
                    BOOLEAN | 1 | column 'c' takes BOOLEAN, found 1
                    TINYINT | 128 | column 'c' takes TINYINT, found 128
                    SMALLINT | -32769 | column 'c' takes SMALLINT, found -32769
                    INT | "5" | column 'c' takes INT, found "5"
                    INT | 5.0 | column 'c' takes INT, found 5.0
                    BIGINT | 9223372036854775808 | column 'c' takes BIGINT, found 9223372036854775808
                    FLOAT | 1e39 | column 'c' takes FLOAT, found 1e39
                    DOUBLE | 1e309 | column 'c' takes DOUBLE, found 1e309
                    DOUBLE | "1" | column 'c' takes DOUBLE, found "1"
                    STRING | 7 | column 'c' takes STRING, found 7
                    STRING | {} | column 'c' takes STRING, found an object
                    STRING | "\\ud83c" | column 'c' holds half of a surrogate pair
                    BINARY | "%%" | column 'c' takes BINARY, found text that is not Base64
                    DATE | "2026-02-30" | column 'c' takes DATE, found "2026-02-30"
                    DATE | "2026-1-1" | column 'c' takes DATE, found "2026-1-1"
                    DATE | 99999999 | column 'c' takes DATE, found 99999999
                    TIMESTAMP | "2026-11-22" | column 'c' takes TIMESTAMP, found "2026-11-22"
                    TIMESTAMP | "2026-11-22T25:00Z" | column 'c' takes TIMESTAMP, found "2026-11-22T25:00Z"
                    TIMESTAMP | 9223372036854775807 | column 'c' takes TIMESTAMP, found 9223372036854775807
                    TIMESTAMP_NTZ | "2026-11-22T10:00:00Z" | column 'c' takes TIMESTAMP_NTZ, found "2026-11-22T10:00:00Z"
                    DECIMAL(5,2) | 1000 | column 'c' takes DECIMAL(5,2), found a number with more digits before the point
                    DECIMAL(5,2) | 1e999999999 | column 'c' takes DECIMAL(5,2), found a number with more digits before the point
                    DECIMAL(5,2) | 1e-999999999 | column 'c' takes DECIMAL(5,2), found a number with more digits after the point
                    DECIMAL(5,2) | 0.125 | column 'c' takes DECIMAL(5,2), found a number with more digits after the point
                    DECIMAL(5,2) | "two" | column 'c' takes DECIMAL(5,2), found "two"
                    ARRAY<INT> | [1,"x"] | column 'c[1]' takes INT, found "x"
                    ARRAY<INT> | 1 | column 'c' takes ARRAY<INT>, found 1
                    MAP<STRING,INT> | {"a":true} | column 'c["a"]' takes INT, found true
                    MAP<INT,INT> | {"a":1} | column 'c' takes INT keys, found "a"
                    MAP<STRING,INT> | {"a":1,"a":2} | column 'c' holds the key "a" twice
                    STRUCT<a:STRUCT<b:INT>> | {"a":{"b":"x"}} | column 'c.a.b' takes INT, found "x"
                    MAP<BIGINT,INT> | {"1":1,"01":2} | column 'c' holds the key "01" twice
                    MAP<TIMESTAMP,INT> | {"1970-01-01T00:00:01Z":1,"1970-01-01T01:00:01+01:00":2} | column 'c' holds the key "1970-01-01T01:00:01+01:00" twice
                    MAP<BOOLEAN,INT> | {"yes":1} | column 'c' takes BOOLEAN keys, found "yes"
                    MAP<DATE,INT> | {"2026-02-30":1} | column 'c' takes DATE keys, found "2026-02-30"
                    MAP<DOUBLE,INT> | {"0x1p3":1} | column 'c' takes DOUBLE keys, found "0x1p3"
                    MAP<DECIMAL(3,1),INT> | {"1000":1} | column 'c' takes DECIMAL(3,1) keys, found "1000"
                    MAP<BINARY,INT> | {"%%":1} | column 'c' takes BINARY keys, found "%%"
                    MAP<STRUCT<a:INT>,INT> | {"a":1} | column 'c' takes STRUCT<a:INT> keys, found "a"
                    ARRAY<STRUCT<zip:INT>> | [{"zip":1},{"zip":"x"}] | column 'c[1].zip' takes INT, found "x"
                    MAP<STRING,ARRAY<INT>> | {"a b":[1,2,0.5]} | column 'c["a b"][2]' takes INT, found 0.5
                    STRUCT<a:INT> | [1] | column 'c' takes an object, found an array
                    STRUCT<a:INT> | "a" | column 'c' takes an object, found "a"
                    STRUCT<a:INT> | {"a":1,"A":2} | column 'c.a' stands twice in the object
                    STRUCT<a:STRUCT<b:INT>> | {"a":{"z":1}} | column 'c.a' holds "z", which is not a field
                    STRUCT<a:INT> | {"z":1} | column 'c' holds "z", which is not a field
                    STRUCT<a:INT NOT NULL> | {} | column 'c.a' is NOT NULL (INT), but has no value
                    """)
    void aWrongValueIsTold(String type, String json, String problem) {
        var refused = refused(column(type), "{\"c\":" + json + "}");
        assertThat(refused.problem()).isEqualTo(problem);
        assertThat(refused.hint()).isNotBlank();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\0',
            textBlock =
                    """
                    [] | the record is not a JSON object
                    null | the record is not a JSON object
                    {"c":1} {"c":2} | the record goes on after its JSON object
                    {"c":1,"c":2} | column 'c' stands twice in the object
                    {"d":1} | the record holds "d", which is not a column
                    {"c":1 | the record is not well-formed JSON at byte
                    {"c":01} | the record is not well-formed JSON at byte
                    {c:1} | the record is not well-formed JSON at byte
                    """)
    void aWrongRecordIsTold(String json, String problem) {
        var refused = refused(column("INT"), json);
        assertThat(refused.problem()).startsWith(problem);
        assertThat(refused.hint()).isNotBlank();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\0',
            textBlock =
                    """
                    BOOLEAN | true | true
                    TINYINT | -7 | -7
                    FLOAT | 1.5 | 1.5
                    DOUBLE | -1e300 | -1.0E300
                    DOUBLE | NaN | NaN
                    DATE | 1970-01-02 | 1
                    DATE | -1 | -1
                    TIMESTAMP | 1970-01-01T00:00:01Z | 1000000
                    TIMESTAMP | 17 | 17
                    TIMESTAMP_NTZ | 1970-01-01T00:00:01 | 1000000
                    DECIMAL(5,2) | 1.5 | 1.50
                    STRING | 1.5 | 1.5
                    """)
    void aMapsKeyIsReadAs(String type, String key, String expected) {
        var map = value("MAP<%s,INT>".formatted(type), "{\"%s\":3}".formatted(key));
        assertThat(String.valueOf(map)).isEqualTo("{%s=3}".formatted(expected));
    }

    @Test
    void aMapsKeyOfBytesIsBase64AlsoWhereItLooksLikeANumber() {
        var map = (Map<?, ?>) Objects.requireNonNull(value("MAP<BINARY,INT>", "{\"1234\":3}"));
        assertThat(map.keySet().iterator().next()).isEqualTo(Base64.getDecoder().decode("1234"));
    }

    /** Jackson tells no place of these. */
    @ParameterizedTest
    @ValueSource(strings = {"{\"%s\":1}", "{\"c\":1%s}"})
    void whatIsLongerThanAnyNameOrNumberIsTold(String json) {
        var text = json.formatted("7".repeat(1_001));
        assertThat(refused(column("INT"), text).problem())
                .startsWith("the record is not well-formed JSON")
                .contains("(100", "(1000)");
    }

    @Test
    void aNameThatIsTooLongIsToldOfItsRow() {
        var text = "[{\"c\":1},{\"%s\":1}]".formatted("7".repeat(1_001));
        assertThatThrownBy(() -> JsonRecords.split(text.getBytes(StandardCharsets.UTF_8)))
                .isInstanceOf(Refusal.class)
                .hasMessageContaining("row 1 of the request: ")
                .hasMessageContaining("1001");
    }

    @Test
    void anEmptyRecordIsNotAnObject() {
        assertThat(refused(column("INT"), "").problem()).contains("is not a JSON object");
    }

    @Test
    void textThatIsNotUtf8IsRefused() {
        var json = "{\"c\":\"?\"}".getBytes(StandardCharsets.ISO_8859_1);
        json[6] = (byte) 0xE9;
        var refused =
                catchThrowableOfType(
                        RefusedRow.class,
                        () ->
                                new JsonEncoder(column("STRING"))
                                        .encode(json, 0, json.length, new RowWriter(100)));
        assertThat(refused.problem()).contains("not well-formed JSON");
    }

    /** The zeros look like UTF-32 or UTF-16 to a parser that guesses. */
    @Test
    void onlyUtf8IsRead() {
        var guessed =
                List.of(new byte[] {10, 0, 0, 0, 0, 10}, "{}".getBytes(StandardCharsets.UTF_16LE));
        for (var json : guessed) {
            var refused =
                    catchThrowableOfType(
                            RefusedRow.class,
                            () ->
                                    new JsonEncoder(column("STRING"))
                                            .encode(json, 0, json.length, new RowWriter(100)));
            assertThat(refused.problem()).contains("not well-formed JSON");
        }
    }

    @Test
    void deepNestingIsRefusedInsteadOfOverflowing() {
        var deep = "{\"c\":" + "[".repeat(100_000);
        assertThat(refused(column("ARRAY<ARRAY<INT>>"), deep).problem()).isNotBlank();
    }

    @Test
    void namesMatchWithoutRegardToCaseWhenNoneMatchesExactly() {
        assertThat(encode(column("INT"), "{\"C\":1}"))
                .isEqualTo(encode(column("INT"), "{\"c\":1}"));
    }

    @Test
    void rowsThatGrowBeyondTheLogsLimitAreRefused() {
        var json = "{\"c\":[" + "1,".repeat(200_000) + "1]}";
        // The request, not the row: no policy for bad rows saves it.
        var refusal =
                catchThrowableOfType(Refusal.class, () -> encode(column("ARRAY<DOUBLE>"), json));
        assertThat(refusal.message())
                .contains("the request is larger than 1048576 bytes in the log");
    }

    @Test
    void aRefusalLeavesTheEncoderUsable() {
        var schema = TableSchema.of(Column.required("c", DataType.parse("INT")));
        var encoder = new JsonEncoder(schema);
        var out = new RowWriter(1 << 10);
        var bad = "{\"c\":\"x\"}".getBytes(StandardCharsets.UTF_8);
        var good = "{\"c\":5}".getBytes(StandardCharsets.UTF_8);
        assertThatThrownBy(() -> encoder.encode(bad, 0, bad.length, out))
                .isInstanceOf(RefusedRow.class);
        out.clear();
        encoder.encode(good, 0, good.length, out);
        assertThat(out.toByteArray()).containsExactly(0x08, 5);
    }
}
