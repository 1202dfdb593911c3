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
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.apache.arrow.memory.util.hash.ArrowBufHasher;
import org.apache.arrow.memory.util.hash.MurmurHasher;

/**
 * The keys of all rows that a UNIQUE rule has kept, as Bloom filters: so most new keys are known to
 * be new without a look at those rows, whose number grows for ever. About 3 bytes a key.
 *
 * <p>Keys are never taken away: those of a batch that was undone are only looked for in vain.
 */
final class KeptKeys {
    private static final double FALSE_SHARE = 1e-4;
    private static final int FIRST_KEYS = 100_000;
    private static final int GROWTH = 4;
    private static final ArrowBufHasher LOW = new MurmurHasher(1);
    private static final ArrowBufHasher HIGH = new MurmurHasher(2);

    private final List<Integer> columns;

    /** Each has room for more keys than the one before; only the last is not full. */
    private final List<BloomFilter<Long>> filters = new ArrayList<>();

    private long room;
    private long keys;

    private KeptKeys(List<Integer> columns) {
        this.columns = columns;
    }

    /** Empty for keys that may be equal and have other bits, as 0.0 and -0.0. */
    static Optional<KeptKeys> of(TableSchema schema, Rule.Test.Unique rule) {
        var columns = new ArrayList<Integer>();
        for (var name : rule.columns()) {
            var column = schema.indexOf(name).orElseThrow();
            if (!hasOneForm(schema.column(column).type())) {
                return Optional.empty();
            }
            columns.add(column);
        }
        return Optional.of(new KeptKeys(columns));
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
            if (keys >= room) {
                var size = Math.max(FIRST_KEYS, room * GROWTH);
                filters.add(BloomFilter.create(Funnels.longFunnel(), size, FALSE_SHARE));
                room += size;
            }
            if (filters.getLast().put(hash(rows, places, row))) {
                keys++;
            }
        }
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
            } else if (filters.stream().anyMatch(filter -> filter.mightContain(hash))) {
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
