package dev.lakemill.ingest;

import dev.lakemill.types.Column;
import java.util.List;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * Rows, or a descriptor, that would fit if their table had more columns or wider types, where its
 * policy allows that. Costs no stack trace: it is no failure, but asks for {@link Landing#evolve},
 * which blocks, and to be read again.
 */
final class NewColumns extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient Landing landing;
    private final transient List<Column> columns;

    NewColumns(Landing landing, List<Column> columns) {
        super(
                columns.stream()
                        .map(c -> c.name() + " " + c.type().sql())
                        .collect(Collectors.joining(", ", "new columns: ", "")),
                null,
                false,
                false);
        this.landing = landing;
        this.columns = List.copyOf(columns);
    }

    /** Gives the table the columns. Blocks. */
    void evolve(ProducerAccess.Producer producer) {
        producer.require(landing.table().name());
        landing.evolve(columns, producer);
    }

    /** What is opened, after its table got the columns that its form asks for. */
    static OpenTable evolving(ProducerAccess.Producer producer, Supplier<OpenTable> opener) {
        try {
            return opener.get();
        } catch (NewColumns e) {
            e.evolve(producer);
            return opener.get();
        }
    }

    /** A table that got columns, and the rows that asked for them. */
    record Evolved(OpenTable table, Payload payload) {}

    /**
     * Gives the table the columns that JSON records ask for, and reads these again. Blocks.
     *
     * @param stream names what the rows are of
     * @throws Refusal for what does not fit even then
     */
    Evolved evolve(
            ProducerAccess.Producer producer,
            Streams streams,
            Supplier<UUID> stream,
            Function<OpenTable, Payload> records) {
        evolve(producer);
        var table = streams.openJson(landing, stream);
        try {
            return new Evolved(table, records.apply(table));
        } catch (NewColumns e) {
            throw Refusal.unavailable(
                    "%s gets other columns at this moment".formatted(landing.table().name()),
                    "send the request again");
        }
    }
}
