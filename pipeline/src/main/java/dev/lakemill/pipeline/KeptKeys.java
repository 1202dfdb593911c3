package dev.lakemill.pipeline;

import com.google.common.hash.BloomFilter;
import com.google.common.hash.Funnels;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Decimal;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableSchema;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * The keys of all rows that a UNIQUE rule has kept: as Bloom filters, so that most new keys are
 * known to be new without a look at those rows, whose number grows for ever; and the newest as they
 * are, so that what is sent twice in a row is known as well. About 3.6 bytes a key, at the least
 * those of {@link #FIRST_KEYS}, and up to {@value #NEWEST_MAX} keys of about 100 bytes.
 *
 * <p>Keys are never taken from the filters: those of a batch that was undone are only looked for in
 * vain. When the engine's {@link Room} is used up, no more are added: the filters are then of no
 * use.
 */
final class KeptKeys {
    /** Of new keys: each costs a look at all rows. */
    private static final double FALSE_SHARE = 1e-6;

    private static final int FIRST_KEYS = 100_000;
    private static final int GROWTH = 4;
    private static final int NEWEST_MAX = 16_384;

    /** Longer keys are not among the newest. */
    private static final int NEWEST_BYTES_MAX = 256;

    private final List<Integer> columns;

    private final Room room;

    /** Only the last is not full. */
    private final List<BloomFilter<Long>> filters = new ArrayList<>();

    private final Set<RowKey> newest =
            Collections.newSetFromMap(
                    new LinkedHashMap<>() {
                        @Override
                        protected boolean removeEldestEntry(Map.Entry<RowKey, Boolean> eldest) {
                            return size() > NEWEST_MAX;
                        }
                    });

    private long keysMax;
    private long keys;
    private boolean incomplete;

    private KeptKeys(List<Integer> columns, Room room) {
        this.columns = columns;
        this.room = room;
    }

    /**
     * What is known of some rows of a batch, by their places.
     *
     * @param keys of the rows that were asked for, in their order
     * @param doubles whose key was kept before, or stands before them
     * @param doubtful whose key may have been kept before
     */
    record Known(BitSet asked, List<RowKey> keys, BitSet doubles, BitSet doubtful) {}

    /** How many keys the filters of all rules of an engine may hold. */
    static final class Room {
        private final long filterKeysMax;
        private long left;

        /**
         * @param filterKeysMax of one filter, whose bits are one array
         * @param keysMax of all filters together
         */
        Room(long filterKeysMax, long keysMax) {
            this.filterKeysMax = filterKeysMax;
            this.left = keysMax;
        }

        /** As a node's heap of some hundred MB bears it: 11 MB a filter, 43 MB in all. */
        static Room usual() {
            return new Room(3_000_000, 12_000_000);
        }

        long left() {
            return left;
        }

        /** Room for one filter; 0 when there is none. */
        private long take(long wanted) {
            var taken = Math.min(Math.min(wanted, filterKeysMax), left);
            left -= taken;
            return taken;
        }

        private void giveBack(long keys) {
            left += keys;
        }
    }

    /** Empty for keys that may be equal and have other bits, as 0.0 and -0.0. */
    static Optional<KeptKeys> of(TableSchema schema, Rule.Test.Unique rule, Room room) {
        var columns = new ArrayList<Integer>();
        for (var name : rule.columns()) {
            var column = schema.indexOf(name).orElseThrow();
            if (!hasOneForm(schema.column(column).type())) {
                return Optional.empty();
            }
            columns.add(column);
        }
        return Optional.of(new KeptKeys(columns, room));
    }

    private static boolean hasOneForm(DataType type) {
        return type instanceof Decimal
                || (type instanceof Primitive
                        && type != Primitive.DOUBLE
                        && type != Primitive.FLOAT);
    }

    /** The key's columns, in its order. */
    List<Integer> columns() {
        return columns;
    }

    /** Whether keys are missing, since there was no room for them. */
    boolean isIncomplete() {
        return incomplete;
    }

    /** In the order of their making. */
    List<BloomFilter<Long>> filters() {
        return filters;
    }

    /** Gives the room back; no key may be looked for any more. */
    void free() {
        filters.clear();
        newest.clear();
        room.giveBack(keysMax);
        keysMax = 0;
        incomplete = true;
    }

    /** A batch was undone, whose keys may be among the newest. */
    void undone() {
        newest.clear();
    }

    /** Adds rows of the key's columns alone, in their order; each batch is closed here. */
    void load(Iterator<Rows> batches) {
        var all = IntStream.range(0, columns.size()).boxed().toList();
        while (batches.hasNext()) {
            try (var rows = batches.next()) {
                var reader = new RowKey.Reader(rows, all);
                for (int row = 0; row < rows.count(); row++) {
                    add(reader.read(row), false);
                }
            }
        }
    }

    /** Adds the keys of those of the rows that are kept. */
    void add(Known known, BitSet kept) {
        var keys = known.keys().iterator();
        known.asked().stream()
                .forEach(
                        row -> {
                            var key = keys.next();
                            if (kept.get(row)) {
                                var isNew = !known.doubles().get(row) && !known.doubtful().get(row);
                                add(key, isNew);
                            }
                        });
    }

    private void add(RowKey key, boolean isNew) {
        if (key.bytes().length <= NEWEST_BYTES_MAX) {
            newest.add(key);
        }
        var hash = key.hash();
        if (!isNew && mayHold(hash)) {
            return;
        }
        if (keys < keysMax || grow()) {
            filters.getLast().put(hash);
            keys++;
        }
    }

    private boolean mayHold(long hash) {
        return filters.stream().anyMatch(filter -> filter.mightContain(hash));
    }

    private boolean grow() {
        var more = incomplete ? 0 : room.take(Math.max(FIRST_KEYS, keysMax * GROWTH));
        if (more == 0) {
            incomplete = true;
            return false;
        }
        filters.add(BloomFilter.create(Funnels.longFunnel(), more, FALSE_SHARE));
        keysMax += more;
        return true;
    }

    /**
     * What is known of the keys of some rows, of which the first with a key comes first. Those of
     * all others are new for sure.
     */
    Known known(Rows rows, BitSet asked) {
        var known = new Known(asked, new ArrayList<>(), new BitSet(), new BitSet());
        var before = new HashSet<RowKey>();
        var reader = new RowKey.Reader(rows, columns);
        for (int row = asked.nextSetBit(0); row >= 0; row = asked.nextSetBit(row + 1)) {
            var key = reader.read(row);
            known.keys().add(key);
            if (!before.add(key) || newest.contains(key)) {
                known.doubles().set(row);
            } else if (mayHold(key.hash())) {
                known.doubtful().set(row);
            }
        }
        return known;
    }
}
