package dev.lakemill.ingest;

import dev.lakemill.catalog.CatalogTable;
import dev.lakemill.types.Column;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** What the door asks of identity and catalog: who a producer is, and what it may write. */
public interface ProducerAccess {
    /**
     * Says who opens a stream. May block.
     *
     * @param door that it came through: {@code grpc} or {@code rest}
     * @param authorization the header {@code authorization}; null when it is absent
     * @throws LakemillException UNAUTHENTICATED when it names nobody who may log in
     */
    Producer authenticate(String door, @Nullable String authorization, String address, UUID stream);

    /** Calls the listener after changes of grants, principals or tokens; until closed. */
    AutoCloseable onChange(Runnable listener);

    /** Who sends the rows of one stream. */
    interface Producer {
        /** Its principal's name. */
        String name();

        /** After this instant it needs another token. */
        Instant expires();

        /**
         * Asked when the stream opens, and again after every change. May block.
         *
         * @throws LakemillException PERMISSION_DENIED when it may not write the table, or not any
         *     more; UNAUTHENTICATED when its token is no longer good
         */
        void require(TableName table);

        /**
         * Gives a table columns behind its own, and wider types, as its policy allows; the audit
         * says who brought them. Those that it has change nothing. Blocks.
         *
         * @return the table as it is now
         * @throws LakemillException FAILED_PRECONDITION when what is declared forbids it
         */
        CatalogTable evolve(TableName table, List<Column> columns);

        /** The stream is open; for the audit. */
        void opened(TableName table);

        /** The stream has ended; for the audit. */
        void closed(TableName table, long rows);
    }
}
