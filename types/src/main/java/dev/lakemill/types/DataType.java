package dev.lakemill.types;

import java.util.List;
import java.util.stream.Collectors;

/**
 * The type of a column, in Delta's and Spark's terms.
 *
 * <p>{@link #sql()} is the text that Spark's and Unity Catalog's DDL use, for example {@code
 * DECIMAL(10,4)} or {@code ARRAY<STRING>}; {@link #parse} reads it back.
 */
public sealed interface DataType {

    /** The text in DDL, upper case. */
    String sql();

    /**
     * Reads a DDL type such as {@code BIGINT}, {@code decimal(10,4)} or {@code MAP<STRING,INT>}.
     */
    static DataType parse(String sql) {
        return new DataTypeParser(sql).parse();
    }

    /** The types without parameters. */
    enum Primitive implements DataType {
        BOOLEAN("BOOLEAN"),
        /** 8 bits, signed. */
        BYTE("TINYINT"),
        /** 16 bits, signed. */
        SHORT("SMALLINT"),
        /** 32 bits, signed. */
        INTEGER("INT"),
        /** 64 bits, signed. */
        LONG("BIGINT"),
        FLOAT("FLOAT"),
        DOUBLE("DOUBLE"),
        /** UTF-8. */
        STRING("STRING"),
        BINARY("BINARY"),
        /** Days since 1970-01-01. */
        DATE("DATE"),
        /** An instant: microseconds since 1970-01-01T00:00:00Z. */
        TIMESTAMP("TIMESTAMP"),
        /** A wall clock without zone: microseconds since 1970-01-01T00:00:00. */
        TIMESTAMP_NTZ("TIMESTAMP_NTZ");

        private final String sql;

        Primitive(String sql) {
            this.sql = sql;
        }

        @Override
        public String sql() {
            return sql;
        }
    }

    /** An exact number of {@code precision} digits (1 to 38), {@code scale} of them fractional. */
    record Decimal(int precision, int scale) implements DataType {
        public Decimal {
            if (precision < 1 || precision > 38 || scale < 0 || scale > precision) {
                throw new LakemillException(
                        ErrorCode.INVALID_ARGUMENT,
                        "DECIMAL(%d,%d) is not a type".formatted(precision, scale),
                        "precision is 1 to 38, scale 0 to precision");
            }
        }

        @Override
        public String sql() {
            return "DECIMAL(" + precision + "," + scale + ")";
        }
    }

    record Array(DataType element, boolean containsNull) implements DataType {
        @Override
        public String sql() {
            return "ARRAY<" + element.sql() + ">";
        }
    }

    record Map(DataType key, DataType value, boolean valueContainsNull) implements DataType {
        @Override
        public String sql() {
            return "MAP<" + key.sql() + "," + value.sql() + ">";
        }
    }

    record Struct(List<Column> fields) implements DataType {
        public Struct {
            fields = List.copyOf(fields);
        }

        @Override
        public String sql() {
            return fields.stream()
                    .map(f -> f.name() + ":" + f.type().sql() + (f.nullable() ? "" : " NOT NULL"))
                    .collect(Collectors.joining(",", "STRUCT<", ">"));
        }
    }
}
