package dev.lakemill.plan;

import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * What a dataset's clauses say beside its query.
 *
 * @param isPrivate true for {@code PRIVATE}: only this pipeline knows the table
 * @param properties of {@code TBLPROPERTIES}
 * @param refreshPolicy AUTO where none is said
 * @param flows the names of the flows that write the table, in the order of the text
 * @param partitionedBy columns of which each file has one value
 * @param clusteredBy columns that rewritten files are sorted by
 */
public record TableOptions(
        boolean isPrivate,
        Map<String, String> properties,
        RefreshPolicy refreshPolicy,
        List<String> flows,
        List<String> partitionedBy,
        List<String> clusteredBy) {
    /** The property that says how often a view is refreshed at most. */
    public static final String TRIGGER_INTERVAL = "pipelines.trigger.interval";

    private static final Pattern INTERVAL =
            Pattern.compile("(\\d{1,8}) *(millisecond|second|minute|hour)s?");
    private static final Duration INTERVAL_MAX = Duration.ofHours(24);

    public static final TableOptions NONE =
            new TableOptions(false, Map.of(), RefreshPolicy.AUTO, List.of(), List.of(), List.of());

    public TableOptions {
        properties = new TreeMap<>(properties);
        flows = List.copyOf(flows);
        partitionedBy = List.copyOf(partitionedBy);
        clusteredBy = List.copyOf(clusteredBy);
    }

    /** How often the view is refreshed at most; zero for with every batch. */
    public Duration triggerInterval() {
        var text = properties.get(TRIGGER_INTERVAL);
        return text == null ? Duration.ZERO : interval(text).orElse(Duration.ZERO);
    }

    /** Of {@code 500 milliseconds}, {@code 1 second} and the like, up to 24 hours; else empty. */
    public static Optional<Duration> interval(String text) {
        var found = INTERVAL.matcher(text.strip().toLowerCase(Locale.ROOT));
        if (!found.matches()) {
            return Optional.empty();
        }
        long count = Long.parseLong(found.group(1));
        var interval =
                switch (found.group(2)) {
                    case "millisecond" -> Duration.ofMillis(count);
                    case "second" -> Duration.ofSeconds(count);
                    case "minute" -> Duration.ofMinutes(count);
                    default -> Duration.ofHours(count);
                };
        return interval.isZero() || interval.compareTo(INTERVAL_MAX) > 0
                ? Optional.empty()
                : Optional.of(interval);
    }
}
