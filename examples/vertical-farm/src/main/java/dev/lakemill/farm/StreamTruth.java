package dev.lakemill.farm;

import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * What was really sent on one stream, to hold the lakehouse's tables against. Safe for use by the
 * thread that sends and the one that hears acknowledgements.
 */
final class StreamTruth {
    /** What is remembered of an event that waits for its acknowledgement. */
    private record Sent(long number, Optional<Fault> fault) {}

    private final FarmTable table;
    private final String idPrefix;
    private final TreeMap<Long, List<Sent>> unacked = new TreeMap<>();
    private final Map<Fault, Long> bad = new EnumMap<>(Fault.class);
    private final Map<Refusal, Long> refused = new EnumMap<>(Refusal.class);
    private final Numbers duplicated = new Numbers();
    private final Numbers resent = new Numbers();
    private long nextOffset;
    private long events;
    private long rows;

    StreamTruth(FarmTable table, String run) {
        this.table = table;
        this.idPrefix = table.idPrefix(run);
        Fault.of(table).forEach(fault -> bad.put(fault, 0L));
        if (!bad.isEmpty()) {
            bad.put(Fault.DUPLICATE, 0L);
            Stream.of(Refusal.values()).forEach(refusal -> refused.put(refusal, 0L));
        }
    }

    /** Before a request goes to the stream, whose requests count from 0. */
    synchronized void sending(List<Event> request) {
        unacked.put(
                nextOffset++, request.stream().map(e -> new Sent(e.number(), e.fault())).toList());
        for (var event : request) {
            if (event.is(Fault.DUPLICATE)) {
                duplicated.add(event.number());
            } else {
                events++;
            }
        }
    }

    synchronized void acked(long first, long last) {
        var acked = unacked.subMap(first, true, last, true);
        for (var request : acked.values()) {
            rows += request.size();
            request.forEach(sent -> sent.fault.ifPresent(f -> bad.merge(f, 1L, Long::sum)));
        }
        acked.clear();
    }

    synchronized void resent(long first, long last) {
        for (var request : unacked.subMap(first, true, last, true).values()) {
            request.forEach(sent -> resent.add(sent.number));
        }
    }

    synchronized void refused(Refusal refusal) {
        refused.merge(refusal, 1L, Long::sum);
    }

    /**
     * The truth as JSON values.
     *
     * <p>{@code events} ids were sent: idPrefix + n for n from 0. {@code rows} were acknowledged.
     * {@code duplicated} are the n sent twice on purpose; {@code resent} those that the client sent
     * again after a lost connection, once for each time; {@code unacked} those of rows sent and
     * never acknowledged. {@code bad} counts acknowledged rows by fault.
     */
    synchronized Map<String, Object> summary() {
        var summary = new LinkedHashMap<String, Object>();
        summary.put("table", table.tableName().toString());
        summary.put("prefix", idPrefix);
        summary.put("events", events);
        summary.put("rows", rows);
        summary.put("duplicated", duplicated.list());
        summary.put("resent", resent.list());
        summary.put("unacked", unackedNumbers());
        summary.put("rejected", keyed(refused));
        summary.put("bad", keyed(bad));
        return summary;
    }

    private List<Long> unackedNumbers() {
        return unacked.values().stream().flatMap(List::stream).map(Sent::number).toList();
    }

    private static Map<String, Long> keyed(Map<? extends Enum<?>, Long> counts) {
        var keyed = new LinkedHashMap<String, Long>();
        counts.forEach((k, n) -> keyed.put(k.name().toLowerCase(Locale.ROOT), n));
        return keyed;
    }
}
