package dev.lakemill.plan;

import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A scalar expression, analysed, with Spark's ANSI semantics: an overflow, a division by zero or a
 * cast that fails is an error, not NULL.
 *
 * <p>There is no interval type: a day-time interval is a BIGINT of microseconds, a year-month
 * interval an INT of months, and {@link Function}s on times are named for that.
 */
public sealed interface Expression {
    DataType type();

    boolean nullable();

    /** A column of an input, of the row tested by an expectation, or of the query round this. */
    record Reference(Attribute attribute) implements Expression {
        @Override
        public DataType type() {
            return attribute.type();
        }

        @Override
        public boolean nullable() {
            return attribute.nullable();
        }
    }

    /**
     * A constant of a {@link Primitive} or decimal type.
     *
     * @param text null for NULL; true or false; a number in digits, for FLOAT and DOUBLE also NaN,
     *     Infinity and -Infinity; hexadecimal for BINARY; days since 1970 for DATE; microseconds
     *     since 1970 for both kinds of TIMESTAMP
     */
    record Literal(DataType type, @Nullable String text) implements Expression {
        @Override
        public boolean nullable() {
            return text == null;
        }
    }

    /** A function or operator. */
    record Call(
            Function function,
            List<Expression> arguments,
            DataType type,
            boolean nullable,
            SourcePosition position)
            implements Expression {}

    /**
     * A change of type.
     *
     * @param tried true where a value that does not fit gives NULL instead of an error
     */
    record Cast(
            Expression value,
            DataType type,
            boolean tried,
            boolean nullable,
            SourcePosition position)
            implements Expression {}

    /** The value of the first branch whose condition is true, else {@code otherwise}. */
    record Case(List<Branch> branches, Expression otherwise, DataType type, boolean nullable)
            implements Expression {}

    record Branch(Expression condition, Expression value) {}

    /** A field of a struct. */
    record Field(Expression struct, String name, DataType type, boolean nullable)
            implements Expression {}

    /** The one value of a query of one column; NULL of no row; an error of more than one. */
    record ScalarSubquery(Relation query, SourcePosition position) implements Expression {
        @Override
        public DataType type() {
            return query.output().getFirst().type();
        }

        @Override
        public boolean nullable() {
            return true;
        }
    }

    record Exists(Relation query, SourcePosition position) implements Expression {
        @Override
        public DataType type() {
            return Primitive.BOOLEAN;
        }

        @Override
        public boolean nullable() {
            return false;
        }
    }

    /** Whether the value is among those of a query of one column; three-valued, as SQL's IN. */
    record InSubquery(Expression value, Relation query, SourcePosition position)
            implements Expression {
        @Override
        public DataType type() {
            return Primitive.BOOLEAN;
        }

        @Override
        public boolean nullable() {
            return true;
        }
    }
}
