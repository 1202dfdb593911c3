package dev.lakemill.ingest;

import dev.lakemill.catalog.CatalogTable;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;

/**
 * Hears of streams and of what landed, for who keeps it. Called on threads that must not block; any
 * thread may call.
 */
public interface IngestHistory {
    /** Keeps nothing. */
    IngestHistory NONE =
            new IngestHistory() {
                @Override
                public void stream(StreamEvent event) {}

                @Override
                public void landed(LandedEvent event) {}
            };

    /** A stream was opened, or has ended. */
    void stream(StreamEvent event);

    /** Rows stand in Delta. */
    void landed(LandedEvent event);

    /** How rows come in. */
    enum Protocol {
        GRPC,
        ARROW_FLIGHT,
        HTTP
    }

    /** What they are. */
    enum DataFormat {
        PROTOBUF,
        JSON,
        ARROW
    }

    /**
     * A stream.
     *
     * @param producer the name of its principal
     */
    record StreamInfo(
            UUID id,
            CatalogTable table,
            String producer,
            Protocol protocol,
            DataFormat format,
            Instant opened) {}

    /**
     * A change of a stream.
     *
     * @param closed empty while it is open
     * @param error why it ended; empty when its producer was done
     */
    record StreamEvent(
            StreamInfo stream, Instant at, Optional<Instant> closed, Optional<String> error) {}

    /**
     * A commit.
     *
     * @param version of the Delta table
     * @param bytes of the rows in memory
     */
    record LandedEvent(CatalogTable table, Instant at, long version, long rows, long bytes) {}
}
