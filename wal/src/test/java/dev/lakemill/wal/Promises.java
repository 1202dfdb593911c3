package dev.lakemill.wal;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;

/**
 * What the log has promised so far, and what a restart must therefore show.
 *
 * <p>Frames are known by their offset, which a test gives only once.
 */
final class Promises {
    private final NavigableMap<Long, Frame> kept = new TreeMap<>();
    private final Set<Long> keptOffsets = new HashSet<>();
    private final Set<Long> inDoubt = new HashSet<>();
    private long releasedLsn;

    void offered(Frame frame) {
        inDoubt.add(frame.offset());
    }

    void acknowledged(List<Durable> group) {
        group.forEach(this::keep);
    }

    private void keep(Durable durable) {
        if (!kept.isEmpty() && durable.lsn() <= kept.lastKey()) {
            throw new AssertionError("LSN " + durable.lsn() + " after " + kept.lastKey());
        }
        if (!inDoubt.remove(durable.frame().offset())) {
            throw new AssertionError("not offered, or known already: " + durable);
        }
        kept.put(durable.lsn(), durable.frame());
        keptOffsets.add(durable.frame().offset());
    }

    long newestLsn() {
        return kept.isEmpty() ? 0 : kept.lastKey();
    }

    long oldestLsn() {
        return kept.isEmpty() ? 0 : kept.firstKey();
    }

    void released(long lsn) {
        releasedLsn = Math.max(releasedLsn, lsn);
    }

    int count() {
        return kept.size();
    }

    /** A start that succeeded showed these frames; from now on they are promised too. */
    void replayed(List<Durable> frames) {
        long newestBefore = newestLsn();
        List<Long> shown = new ArrayList<>();
        for (Durable durable : frames) {
            if (!shown.isEmpty() && durable.lsn() <= shown.getLast()) {
                throw new AssertionError("out of order: " + durable.lsn());
            }
            shown.add(durable.lsn());
            if (durable.lsn() > newestBefore) {
                keep(durable);
            } else if (!same(durable.frame(), kept.get(durable.lsn()))) {
                throw new AssertionError("never at this LSN: " + durable);
            }
        }
        Set<Long> missing = new HashSet<>(kept.tailMap(releasedLsn, false).keySet());
        missing.removeAll(new HashSet<>(shown));
        if (!missing.isEmpty()) {
            throw new AssertionError("lost: LSNs " + missing);
        }
        inDoubt.clear();
    }

    private static boolean same(Frame one, @org.jspecify.annotations.Nullable Frame other) {
        return other != null
                && one.table().equals(other.table())
                && one.stream().equals(other.stream())
                && one.offset() == other.offset()
                && java.util.Arrays.equals(one.payload(), other.payload());
    }
}
