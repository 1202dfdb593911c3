package dev.lakemill.ingest;

import dev.lakemill.catalog.CatalogTable;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TypeWidening;
import java.io.ByteArrayInputStream;
import java.util.List;
import org.apache.arrow.memory.BufferAllocator;

/**
 * What the doors make of bytes that strangers send, without a server around it: for fuzzing. Each
 * method reads bytes as a stream would; what is wrong with them is told by a {@link
 * LakemillException} and nothing else.
 */
public final class WireInput {
    private WireInput() {}

    /** A message of an ephemeral or a persistent stream of databricks.zerobus.Zerobus. */
    public static void zerobus(byte[] message, boolean persistent) {
        read(message, persistent ? Messages.PERSISTENT : Messages.EPHEMERAL);
    }

    /**
     * A message of Arrow Flight's DoPut with a schema, and one with a batch of it, whose rows are
     * then decoded as they are for Delta.
     */
    public static void flight(
            CatalogTable table, byte[] schema, byte[] batch, BufferAllocator allocator) {
        if (read(schema, new FlightMessages()) instanceof Inbound.ArrowSchema opened
                && read(batch, new FlightMessages()) instanceof Inbound.ArrowBatch rows) {
            try {
                var reader = new ArrowSchema(table, RowPolicy.REFUSE, opened.header());
                var payload = reader.payload(rows);
                new RowDecoder(table.schema())
                        .decode(List.of(payload.bytes()), payload.rows(), allocator)
                        .close();
            } catch (Refusal e) {
                throw e.exception();
            }
        }
    }

    /**
     * What a descriptor and a message of Arrow Flight with a schema would make of a table that
     * takes their columns and wider types: the table has them then, or they are refused.
     */
    public static void growth(CatalogTable table, byte[] descriptor, byte[] schema) {
        try {
            var needed = ProtoGrowth.columns(table.schema(), descriptor, true);
            var grown = TypeWidening.grown(table.schema(), needed);
            var _ = ProtoSchema.reader(table.name().toString(), grown.columns(), descriptor, true);
            if (read(schema, new FlightMessages()) instanceof Inbound.ArrowSchema opened) {
                arrowGrowth(table, opened);
            }
        } catch (Refusal e) {
            throw e.exception();
        }
    }

    private static void arrowGrowth(CatalogTable table, Inbound.ArrowSchema opened) {
        var fields = ArrowSchema.fields(opened.header());
        var needed = ArrowGrowth.columns(table.schema(), fields, true);
        var grown = TypeWidening.grown(table.schema(), needed);
        var _ = new ArrowSchema(table.name(), grown, RowPolicy.REFUSE, fields);
        if (!ArrowGrowth.columns(grown, fields, true).isEmpty()) {
            throw new IllegalStateException("a table that has grown would have to grow again");
        }
    }

    private static Inbound read(byte[] message, Messages<?> messages) {
        var marshaller = new Inbound.Marshaller(GrpcConfig.DEFAULT.messageBytesMax(), messages);
        return marshaller.parse(new ByteArrayInputStream(message));
    }
}
