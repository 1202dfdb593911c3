package dev.lakemill.farm;

import dev.lakemill.api.ProducerClient;
import dev.lakemill.api.ProducerObserver;
import dev.lakemill.api.RecordFormat;
import dev.lakemill.api.StreamOptions;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.PrintStream;
import java.time.Duration;
import java.util.List;
import java.util.function.LongSupplier;

/**
 * Brings records to the door that must be refused there. A refusal ends its stream, so each record
 * comes on a stream of its own: one at a time, all tables and kinds in turn. One thread uses it.
 */
final class Doorstep {
    private static final List<FarmTable> TABLES = FarmTable.events();
    private static final Refusal[] KINDS = Refusal.values();
    private static final Duration ANSWER_TIMEOUT = Duration.ofSeconds(5);
    private static final StreamOptions OPTIONS =
            StreamOptions.DEFAULT
                    .withReconnects(0, Duration.ofMillis(100), Duration.ofMillis(100))
                    .withTimeouts(ANSWER_TIMEOUT, ANSWER_TIMEOUT, Duration.ofSeconds(1));

    private final ProducerClient client;
    private final World world;
    private final String run;
    private final LongSupplier clockMicros;
    private final PrintStream log;
    private int knocks;

    /**
     * @param world one that nobody else sends rows of
     */
    Doorstep(
            ProducerClient client,
            World world,
            String run,
            LongSupplier clockMicros,
            PrintStream log) {
        this.client = client;
        this.world = world;
        this.run = run;
        this.clockMicros = clockMicros;
        this.log = log;
    }

    /** The table of the next {@link #knock}. */
    FarmTable table() {
        return TABLES.get(knocks % TABLES.size());
    }

    /** Brings one record and, when it is refused as it must be, notes that. */
    void knock(StreamTruth truth) {
        var kind = KINDS[knocks / TABLES.size() % KINDS.length];
        var record = kind.spoil(goodRow(), "x-" + run + "-" + knocks);
        var table = table().tableName();
        knocks++;
        try (var stream = client.open(table, RecordFormat.JSON, OPTIONS, ProducerObserver.NONE)) {
            stream.ingestJson(record);
            stream.flush(ANSWER_TIMEOUT);
            log.printf("%s took a record that it must refuse: %s%n", table, record);
        } catch (LakemillException e) {
            if (e.code() == ErrorCode.INVALID_ARGUMENT) {
                truth.refused(kind);
            }
        }
    }

    private FarmRow goodRow() {
        var source = world.source(table());
        var event = source.next(clockMicros.getAsLong(), 0);
        while (event.fault().isPresent()) {
            event = source.next(clockMicros.getAsLong(), 0);
        }
        return event.row();
    }
}
