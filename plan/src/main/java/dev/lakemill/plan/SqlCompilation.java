package dev.lakemill.plan;

import java.util.List;

/** What became of the text of a {@link SqlRequest}. */
public sealed interface SqlCompilation {
    /** The query, analysed; a scan has the columns that are read and no others. */
    record Query(Relation relation) implements SqlCompilation {}

    /** The body, of the type that was asked for; a reference names a parameter. */
    record Scalar(Expression body) implements SqlCompilation {}

    /** The query reads these, and not all of them were sent with it. */
    record Reads(List<Read> tables) implements SqlCompilation {
        public Reads {
            tables = List.copyOf(tables);
        }
    }

    /**
     * @param errors at least one, in the order in which they were found
     */
    record Rejected(List<TextError> errors) implements SqlCompilation {
        public Rejected {
            errors = List.copyOf(errors);
        }
    }

    /**
     * A table that a query names.
     *
     * @param written its parts joined by dots
     */
    record Read(String written, SourcePosition position) {}
}
