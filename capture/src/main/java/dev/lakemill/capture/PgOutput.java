package dev.lakemill.capture;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Messages of Postgres's output plug-in {@code pgoutput}, protocol version 1, values as text.
 *
 * <p>The format is that of "Logical Replication Message Formats" in Postgres's documentation.
 */
final class PgOutput {
    private static final long MICROS_1970_TO_2000 = 946_684_800_000_000L;

    /** Stands for a value that was stored out of line and did not change. */
    static final byte[] UNCHANGED = new byte[0];

    /** One message; values are in order of the relation's columns, null for NULL. */
    sealed interface Message {}

    /** A transaction begins; its changes follow. */
    record Begin(int xid, long commitMicros) implements Message {}

    /** The transaction ends; {@code endLsn} is the first place behind it. */
    record Commit(long endLsn) implements Message {}

    /** How the values of the relation's next rows are called. */
    record Relation(long oid, String name, List<String> columns) implements Message {}

    /** A row came. */
    record Insert(long oid, byte[][] row) implements Message {}

    /**
     * A row changed.
     *
     * @param old the old row, whole or its key alone; null where the key stayed
     */
    record Update(long oid, byte @Nullable [][] old, boolean oldIsWhole, byte[][] row)
            implements Message {}

    /** A row went: its key, or the whole of it. */
    record Delete(long oid, byte[][] old, boolean oldIsWhole) implements Message {}

    /** All rows of some tables went. */
    record Truncate(List<Long> oids) implements Message {}

    /** Nothing that matters here. */
    record Other() implements Message {}

    private PgOutput() {}

    /** Whether a value stands for one that did not change, which an empty text is not. */
    @SuppressWarnings("ReferenceEquality")
    static boolean isUnchanged(byte @Nullable [] value) {
        return value == UNCHANGED;
    }

    static Message decode(ByteBuffer bytes) {
        var kind = (char) bytes.get();
        return switch (kind) {
            case 'B' -> begin(bytes);
            case 'C' -> {
                bytes.get();
                bytes.getLong();
                yield new Commit(bytes.getLong());
            }
            case 'R' -> relation(bytes);
            case 'I' -> {
                var oid = oid(bytes);
                bytes.get();
                yield new Insert(oid, row(bytes));
            }
            case 'U' -> update(bytes);
            case 'D' -> {
                var oid = oid(bytes);
                var whole = bytes.get() == 'O';
                yield new Delete(oid, row(bytes), whole);
            }
            case 'T' -> truncate(bytes);
            default -> new Other();
        };
    }

    private static Begin begin(ByteBuffer bytes) {
        bytes.getLong();
        var micros = bytes.getLong() + MICROS_1970_TO_2000;
        return new Begin(bytes.getInt(), micros);
    }

    private static Relation relation(ByteBuffer bytes) {
        var oid = oid(bytes);
        var name = text(bytes) + "." + text(bytes);
        bytes.get();
        var count = bytes.getShort();
        var columns = new ArrayList<String>(count);
        for (int i = 0; i < count; i++) {
            bytes.get();
            columns.add(text(bytes));
            bytes.getInt();
            bytes.getInt();
        }
        return new Relation(oid, name, List.copyOf(columns));
    }

    private static Update update(ByteBuffer bytes) {
        var oid = oid(bytes);
        var kind = bytes.get();
        byte[][] old = null;
        if (kind != 'N') {
            old = row(bytes);
            bytes.get();
        }
        return new Update(oid, old, kind == 'O', row(bytes));
    }

    private static Truncate truncate(ByteBuffer bytes) {
        var count = bytes.getInt();
        bytes.get();
        var oids = new ArrayList<Long>(count);
        for (int i = 0; i < count; i++) {
            oids.add(oid(bytes));
        }
        return new Truncate(List.copyOf(oids));
    }

    private static byte[][] row(ByteBuffer bytes) {
        var row = new byte[bytes.getShort()][];
        for (int i = 0; i < row.length; i++) {
            switch (bytes.get()) {
                case 'n' -> {}
                case 'u' -> row[i] = UNCHANGED;
                default -> {
                    row[i] = new byte[bytes.getInt()];
                    bytes.get(row[i]);
                }
            }
        }
        return row;
    }

    private static long oid(ByteBuffer bytes) {
        return Integer.toUnsignedLong(bytes.getInt());
    }

    private static String text(ByteBuffer bytes) {
        var start = bytes.position();
        while (bytes.get() != 0) {
            // To the end of the text.
        }
        var length = bytes.position() - start - 1;
        return new String(
                bytes.array(), bytes.arrayOffset() + start, length, StandardCharsets.UTF_8);
    }
}
