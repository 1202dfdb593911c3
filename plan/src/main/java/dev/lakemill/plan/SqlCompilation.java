package dev.lakemill.plan;

import java.util.List;
import java.util.Optional;

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
    record Read(String written, SourcePosition position) {
        /** Stands as a last part behind the name of a table of which the log's tail is read. */
        public static final String LOG_TAIL = "log_tail()";

        private static final String TAIL = "." + LOG_TAIL;

        /** The table of whose rows only those that Delta does not have yet are read. */
        public Optional<Read> tailOf() {
            return written.endsWith(TAIL)
                    ? Optional.of(
                            new Read(
                                    written.substring(0, written.length() - TAIL.length()),
                                    position))
                    : Optional.empty();
        }
    }
}
