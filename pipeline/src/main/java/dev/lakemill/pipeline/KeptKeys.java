package dev.lakemill.pipeline;

import com.google.common.hash.BloomFilter;
import com.google.common.hash.Funnels;
import com.google.common.hash.HashFunction;
import com.google.common.hash.Hashing;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Decimal;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableSchema;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.memory.util.hash.ArrowBufHasher;

/**
 * The keys of all rows that a UNIQUE rule has kept, as Bloom filters: so most new keys are known to
 * be new without a look at those rows, whose number grows for ever. About 2.4 bytes a key, at the
 * least those of {@link #FIRST_KEYS}.
 *
 * <p>Keys are never taken away: those of a batch that was undone are only looked for in vain. When
 * the engine's {@link Room} is used up, no more are added: the filters are then of no use.
 */
final class KeptKeys {
    private static final double FALSE_SHARE = 1e-4;
    private static final int FIRST_KEYS = 100_000;
    private static final int GROWTH = 4;
    private static final ArrowBufHasher LOW = new BytesHasher(Hashing.murmur3_32_fixed(1));
    private static final ArrowBufHasher HIGH = new BytesHasher(Hashing.murmur3_32_fixed(2));

    private final List<Integer> columns;

    private final Room room;

    /** Only the last is not full. */
    private final List<BloomFilter<Long>> filters = new ArrayList<>();

    private long keysMax;
    private long keys;
    private boolean incomplete;

    private KeptKeys(List<Integer> columns, Room room) {
        this.columns = columns;
        this.room = room;
    }

    /**
     * Arrow's own MurmurHasher adds up what stands behind the last four bytes that are whole: of
     * the texts a-1000 to a-5999 it tells few hundred apart.
     */
    private record BytesHasher(HashFunction function) implements ArrowBufHasher {
        @Override
        public int hashCode(ArrowBuf buffer, long offset, long length) {
            var bytes = new byte[(int) length];
            buffer.getBytes(offset, bytes);
            return function.hashBytes(bytes).asInt();
        }

        @Override
        public int hashCode(long address, long length) {
            throw new UnsupportedOperationException("vectors hash by their buffers");
        }
    }

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

        /** As a node's heap of some hundred MB bears it: 10 MB a filter, 40 MB in all. */
        static Room usual() {
            return new Room(4_000_000, 16_000_000);
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
        room.giveBack(keysMax);
        keysMax = 0;
        incomplete = true;
    }

    /** Adds rows of the key's columns alone, in their order; each batch is closed here. */
    void load(Iterator<Rows> batches) {
        var all = IntStream.range(0, columns.size()).boxed().toList();
        while (batches.hasNext()) {
            try (var rows = batches.next()) {
                addAll(rows, all);
            }
        }
    }

    /** Adds the keys of rows of the table's columns. */
    void add(Rows rows) {
        addAll(rows, columns);
    }

    private void addAll(Rows rows, List<Integer> places) {
        for (int row = 0; row < rows.count(); row++) {
            var hash = hash(rows, places, row);
            if (mayHold(hash)) {
                continue;
            }
            if (keys >= keysMax && !grow()) {
                return;
            }
            filters.getLast().put(hash);
            keys++;
        }
    }

    private boolean mayHold(Long hash) {
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
     * Those of the first rows whose key may have been kept before, or may stand in another of them.
     * The keys of all others are new for sure.
     */
    BitSet doubtful(Rows rows, int count) {
        var doubtful = new BitSet();
        var places = new HashMap<Long, Integer>();
        for (int row = 0; row < count; row++) {
            var hash = hash(rows, columns, row);
            var other = places.putIfAbsent(hash, row);
            if (other != null) {
                doubtful.set(other);
                doubtful.set(row);
            } else if (mayHold(hash)) {
                doubtful.set(row);
            }
        }
        return doubtful;
    }

    private static Long hash(Rows rows, List<Integer> places, int row) {
        int low = 0;
        int high = 0;
        for (var place : places) {
            var vector = rows.vector(place);
            low = 31 * low + vector.hashCode(row, LOW);
            high = 31 * high + vector.hashCode(row, HIGH);
        }
        return ((long) high << 32) | (low & 0xffffffffL);
    }
}
