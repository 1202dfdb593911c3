package dev.lakemill.postgres;

import dev.lakemill.plan.Expression.Cast;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Decimal;
import dev.lakemill.types.DataType.Primitive;
import java.util.List;

/** Prints the casts that Spark and Postgres agree on, in ANSI mode: what does not fit fails. */
final class PolicyCasts {
    /** From the narrowest to the widest. */
    private static final List<DataType> WHOLE =
            List.of(Primitive.BYTE, Primitive.SHORT, Primitive.INTEGER, Primitive.LONG);

    private final Cast cast;
    private final DataType from;
    private final DataType to;

    PolicyCasts(Cast cast) {
        this.cast = cast;
        this.from = cast.value().type();
        this.to = cast.type();
    }

    String print(String value) {
        if (from.equals(to)) {
            return value;
        }
        if (cast.tried() || to == Primitive.BYTE) {
            throw refused();
        }
        if (WHOLE.contains(from)) {
            return fromWhole(value);
        }
        if (from instanceof Decimal) {
            return fromDecimal(value);
        }
        if (from == Primitive.BOOLEAN) {
            return fromBoolean(value);
        }
        if (from == Primitive.STRING && to == Primitive.BINARY) {
            return "convert_to(%s, 'UTF8')".formatted(value);
        }
        if (from == Primitive.FLOAT && to == Primitive.DOUBLE) {
            return plain(value);
        }
        return fromTime(value);
    }

    private String plain(String value) {
        return PolicyPrinter.cast(value, to);
    }

    private String fromWhole(String value) {
        var isKnown =
                WHOLE.contains(to)
                        || to instanceof Decimal
                        || to == Primitive.FLOAT
                        || to == Primitive.DOUBLE
                        || to == Primitive.STRING;
        if (!isKnown) {
            throw refused();
        }
        return plain(value);
    }

    /** Spark cuts the fraction off, Postgres would round it. */
    private String fromDecimal(String value) {
        if (WHOLE.contains(to)) {
            return plain("trunc(" + value + ")");
        }
        if (to instanceof Decimal || to == Primitive.STRING) {
            return plain(value);
        }
        throw refused();
    }

    private String fromBoolean(String value) {
        if (to == Primitive.STRING) {
            return "(CASE WHEN %1$s THEN 'true' WHEN NOT %1$s THEN 'false' END)".formatted(value);
        }
        if (WHOLE.contains(to)) {
            return PolicyPrinter.cast(PolicyPrinter.cast(value, Primitive.INTEGER), to);
        }
        throw refused();
    }

    /** The session's zone, which is anyone's to set, has no say. */
    private String fromTime(String value) {
        if (from == Primitive.TIMESTAMP_NTZ && to == Primitive.DATE) {
            return plain(value);
        }
        if (from == Primitive.DATE && to == Primitive.TIMESTAMP_NTZ) {
            return plain(value);
        }
        if (from == Primitive.TIMESTAMP && to == Primitive.DATE) {
            return plain("(" + value + " AT TIME ZONE 'UTC')");
        }
        if (from == Primitive.DATE && to == Primitive.TIMESTAMP) {
            return "(%s AT TIME ZONE 'UTC')"
                    .formatted(PolicyPrinter.cast(value, Primitive.TIMESTAMP_NTZ));
        }
        if ((from == Primitive.TIMESTAMP && to == Primitive.TIMESTAMP_NTZ)
                || (from == Primitive.TIMESTAMP_NTZ && to == Primitive.TIMESTAMP)) {
            return "(" + value + " AT TIME ZONE 'UTC')";
        }
        throw refused();
    }

    private dev.lakemill.types.LakemillException refused() {
        return PolicyPrinter.refused(
                cast.position(),
                "a cast from %s to %s in a function of the catalog".formatted(from.sql(), to.sql()),
                "declare the parameter or the result of the other type");
    }
}
