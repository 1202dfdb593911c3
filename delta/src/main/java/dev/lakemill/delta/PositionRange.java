package dev.lakemill.delta;

import dev.lakemill.delta.DataFile.Positions;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.apache.parquet.hadoop.metadata.BlockMetaData;

/** The positions {@code (after, to]}. */
record PositionRange(long after, long to) {

    /**
     * The files that may hold rows in the range, in commit order, which is the order of positions.
     *
     * <p>A file without positions was rewritten by another writer. Its rows are older than those of
     * our next file, so it does not matter when that one starts at or before {@code after + 1};
     * otherwise FAILED_PRECONDITION.
     */
    List<DataFile> select(TableContext table, List<DataFile> files) {
        var selected = new ArrayList<DataFile>();
        long laterStart = Long.MAX_VALUE;
        for (int i = after < to ? files.size() - 1 : -1; i >= 0 && laterStart - 1 > after; i--) {
            var file = files.get(i);
            var positions = positions(table, file).orElseThrow(() -> unknown(table, file));
            if (positions.overlaps(after, to)) {
                selected.addFirst(file);
            }
            laterStart = positions.first();
        }
        return selected;
    }

    /** From the tag; a file that lost its tag but not its column tells in its footer. */
    private static Optional<Positions> positions(TableContext table, DataFile file) {
        if (file.positions().isPresent()) {
            return file.positions();
        }
        try (var parquet = ParquetInput.open(file.in(table.location()))) {
            return parquet.positions();
        }
    }

    private static LakemillException unknown(TableContext table, DataFile file) {
        return new LakemillException(
                ErrorCode.FAILED_PRECONDITION,
                "Delta table %s cannot be read by position: file %s has no positions"
                        .formatted(table.location(), file.path()),
                "another writer rewrote it; rebuild what reads by position from a full snapshot,"
                        + " and leave OPTIMIZE to Lakemill");
    }

    /** Whether a row group may hold rows in the range. */
    boolean touches(BlockMetaData group) {
        return ParquetInput.positions(List.of(group))
                .map(positions -> positions.overlaps(after, to))
                .orElse(true);
    }

    /** The first of ascending positions that is above {@code bound}. */
    static int firstAbove(long[] positions, long bound) {
        int index = Arrays.binarySearch(positions, bound);
        if (index < 0) {
            return -index - 1;
        }
        while (index < positions.length && positions[index] == bound) {
            index++;
        }
        return index;
    }
}
