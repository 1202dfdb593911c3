package dev.lakemill.sync;

import dev.lakemill.types.DataType;

/**
 * A type of Postgres that a column has in place of the usual one.
 *
 * @param size characters of a VARCHAR, dimensions of a vector
 */
public record TypeOverride(Kind kind, int size) {
    private static final int VARCHAR_MAX = 10_485_760;
    private static final int DIMENSIONS_MAX = 16_000;

    /** As Databricks names them, without {@code PG_SPECIFIC_TYPE_}. */
    public enum Kind {
        /** Text of at most so many characters. */
        VARCHAR("character varying", VARCHAR_MAX),
        /** pgvector's, of 4 bytes a number. */
        VECTOR("vector", DIMENSIONS_MAX),
        /** pgvector's, of 2 bytes a number. */
        HALFVEC("halfvec", DIMENSIONS_MAX);

        private final String sql;
        private final int sizeMax;

        Kind(String sql, int sizeMax) {
            this.sql = sql;
            this.sizeMax = sizeMax;
        }

        /** The name of the type in Postgres. */
        public String sql() {
            return sql;
        }
    }

    /** In DDL, as format_type() spells it. */
    String sql() {
        return "%s(%d)".formatted(kind.sql, size);
    }

    boolean isVector() {
        return kind != Kind.VARCHAR;
    }

    boolean fits(DataType type) {
        if (size < 1 || size > kind.sizeMax) {
            return false;
        }
        if (!isVector()) {
            return type.equals(DataType.Primitive.STRING);
        }
        return type instanceof DataType.Array array
                && (array.element().equals(DataType.Primitive.FLOAT)
                        || array.element().equals(DataType.Primitive.DOUBLE));
    }

    /** What it may be given for. */
    String rule() {
        return "override columns of type %s, with a size of 1 to %d"
                .formatted(isVector() ? "ARRAY<FLOAT> or ARRAY<DOUBLE>" : "STRING", kind.sizeMax);
    }
}
