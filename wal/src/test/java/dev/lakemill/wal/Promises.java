package dev.lakemill.wal;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What the log has promised so far, and what a restart must therefore show.
 *
 * <p>Frames are known by their offset, which a test gives only once. Any thread may tell.
 */
final class Promises {
    private final NavigableMap<Long, Frame> kept = new TreeMap<>();
    private final Set<Long> inDoubt = new HashSet<>();
    private long releasedLsn;

    synchronized void offered(Frame frame) {
        inDoubt.add(frame.offset());
    }

    synchronized void acknowledged(List<Durable> group) {
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
    }

    synchronized long newestLsn() {
        return kept.isEmpty() ? 0 : kept.lastKey();
    }

    synchronized void released(long lsn) {
        releasedLsn = Math.max(releasedLsn, lsn);
    }

    /** A start that succeeded showed these frames; from now on they are promised too. */
    synchronized void replayed(List<Durable> frames) {
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

    private static boolean same(Frame one, @Nullable Frame other) {
        return other != null
                && one.table().equals(other.table())
                && one.stream().equals(other.stream())
                && one.offset() == other.offset()
                && Arrays.equals(one.payload(), other.payload());
    }
}
