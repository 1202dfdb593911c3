package dev.lakemill.compiler;

import dev.lakemill.compiler.Statement.ChangeRules;
import dev.lakemill.compiler.Statement.Columns;
import dev.lakemill.compiler.Statement.Flow;
import dev.lakemill.compiler.Statement.Word;
import dev.lakemill.plan.Dataset;
import dev.lakemill.plan.Fragment;
import dev.lakemill.plan.NearestName;
import dev.lakemill.plan.SourceText;
import dev.lakemill.plan.TextRefused;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.TableSchema;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Says {@code AUTO CDC} as a query over all events of its source, which is then kept as any
 * materialized view is.
 *
 * <p>What the target holds is a function of the set of events, so their order of arrival does not
 * matter, a delete is remembered for as long as its event is, and what Spark computes from the same
 * events is the same. The events of a key are numbered by the sequence; equal sequences by whether
 * they delete, then by the other columns, so that there is one answer. An event without a sequence
 * comes before all others.
 *
 * <ul>
 *   <li>SCD 1: the last event of each key, unless it deletes. A truncation takes out all events up
 *       to its sequence.
 *   <li>SCD 2: events that follow each other without a change of the tracked columns, and without a
 *       delete between, are one version, with the values of its last event. It begins with the
 *       sequence of its first event and ends with that of the key's next event.
 *   <li>IGNORE NULL UPDATES: before either, a NULL is replaced by the last value of the key that is
 *       none, since the last delete.
 * </ul>
 */
final class ChangeQuery {
    static final String START = "__START_AT";
    static final String END = "__END_AT";
    private static final String OURS = "__lakemill_";
    private static final String DELETED = OURS + "deleted";
    private static final String NUMBER = OURS + "number";
    private static final String UP_TO_HERE = "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW";

    private final Flow.AutoCdc flow;
    private final ChangeRules rules;
    private final TableSchema source;
    private final List<String> keys;
    private final List<String> sequence;
    private final List<String> columns;
    private final String keyText;

    private ChangeQuery(Flow.AutoCdc flow, TableSchema source) {
        this.flow = flow;
        this.rules = flow.rules();
        this.source = source;
        this.keys = resolved(rules.keys());
        this.sequence = resolved(rules.sequence());
        this.columns = rules.columns().map(this::chosen).orElseGet(this::all);
        this.keyText = quoted(keys);
    }

    /**
     * The query, as a text that stands where the flow does.
     *
     * @throws TextRefused for a column that the source does not have
     */
    static Fragment of(Flow.AutoCdc flow, Dataset source) {
        var query = new ChangeQuery(flow, source.schema());
        query.check();
        var place = flow.position();
        var text = "\n".repeat(place.line() - 1) + " ".repeat(place.column() - 1) + query.text();
        return new Fragment(
                new SourceText(place.file(), text),
                text.length() - text.strip().length(),
                text.length());
    }

    private void check() {
        for (var column : source.columns()) {
            if (column.name().toLowerCase(Locale.ROOT).startsWith(OURS)
                    || column.name().equalsIgnoreCase(START)
                    || column.name().equalsIgnoreCase(END)) {
                throw new TextRefused(
                        flow.sourcePosition(),
                        "the source's column '%s' has a name that AUTO CDC uses"
                                .formatted(column.name()),
                        "give it another name");
            }
        }
        for (var word : Stream.concat(rules.keys().stream(), rules.sequence().stream()).toList()) {
            var column = source.column(source.indexOf(word.text()).orElseThrow());
            if (!isOrdered(column)) {
                throw new TextRefused(
                        word.position(),
                        "column '%s' of type %s has no order"
                                .formatted(column.name(), column.type().sql()),
                        "use columns of numbers, texts, dates or times");
            }
        }
        for (var key : rules.keys()) {
            if (columns.stream().noneMatch(key.text()::equalsIgnoreCase)) {
                throw new TextRefused(
                        key.position(),
                        "the key '%s' is not among the target's COLUMNS".formatted(key.text()),
                        "add it");
            }
        }
        if (rules.truncateWhen().isPresent() && (rules.history() || sequence.size() > 1)) {
            throw new TextRefused(
                    rules.truncateWhen().get().position(),
                    "APPLY AS TRUNCATE WHEN goes with SCD TYPE 1 and a SEQUENCE BY of one column",
                    "leave it out");
        }
    }

    private String text() {
        if (rules.history()) {
            return versions(rules.ignoreNulls().isPresent() ? filled() : numbered());
        }
        return rules.ignoreNulls().isPresent() ? newest(filled(), NUMBER + " DESC") : newest();
    }

    /** SCD 1. */
    private String newest() {
        return newest(events(), order(" DESC"));
    }

    private String newest(String events, String order) {
        return ("SELECT %s FROM (SELECT *, row_number() OVER (PARTITION BY %s ORDER BY %s)"
                                + " AS %snewest")
                        .formatted(quoted(columns), keyText, order, OURS)
                + " FROM (%s)) WHERE %snewest = 1 AND NOT %s".formatted(events, OURS, DELETED);
    }

    /** SCD 2. */
    private String versions(String events) {
        var window = " OVER (PARTITION BY %s ORDER BY %s)".formatted(keyText, NUMBER);
        var tracked = rules.tracked().map(this::chosen).orElse(columns);
        var changes =
                tracked.stream()
                        .filter(column -> !keys.contains(column))
                        .map(c -> " OR NOT (%1$s <=> lag(%1$s)%2$s)".formatted(quoted(c), window))
                        .collect(Collectors.joining());
        var at = sequenceText();
        var changed =
                ("SELECT *, %1$s AS %2$sat, lead(%1$s)%3$s AS %2$send, CASE WHEN %4$s OR"
                                + " coalesce(lag(%4$s)%3$s, true)%5$s THEN 1 ELSE 0 END AS"
                                + " %2$schanged FROM (%6$s)")
                        .formatted(at, OURS, window, DELETED, changes, events);
        var counted =
                ("SELECT *, sum(%1$schanged) OVER (PARTITION BY %2$s ORDER BY %3$s %4$s)"
                                + " AS %1$sversion FROM (%5$s)")
                        .formatted(OURS, keyText, NUMBER, UP_TO_HERE, changed);
        var whole =
                (" OVER (PARTITION BY %s, %sversion ORDER BY %s"
                                + " ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)")
                        .formatted(keyText, OURS, NUMBER);
        var bounded =
                ("SELECT *, first_value(%1$sat)%2$s AS %1$sstart, row_number() OVER (PARTITION BY"
                                + " %3$s, %1$sversion ORDER BY %4$s DESC) AS %1$snewest FROM (%5$s)")
                        .formatted(OURS, whole, keyText, NUMBER, counted);
        return ("SELECT %1$s, %2$sstart AS %3$s, %2$send AS %4$s FROM (%5$s) WHERE %2$snewest = 1"
                        + " AND NOT %6$s AND %7$s")
                .formatted(quoted(columns), OURS, START, END, bounded, DELETED, lasts());
    }

    /** Whether a version does not end where it begins. */
    private String lasts() {
        if (!rules.sequenceIsStruct()) {
            return "coalesce(%1$sstart <> %1$send, true)".formatted(OURS);
        }
        return sequence.stream()
                .map(c -> "%1$sstart.%2$s <=> %1$send.%2$s".formatted(OURS, quoted(c)))
                .collect(
                        Collectors.joining(
                                " AND ", "(%send IS NULL OR NOT (".formatted(OURS), "))"));
    }

    /** The sequence as the events had it, before NULLs were filled. */
    private String sequenceText() {
        var parts =
                IntStream.range(0, sequence.size())
                        .mapToObj(
                                i ->
                                        rules.ignoreNulls().isPresent()
                                                ? OURS + "sequence_" + i
                                                : quoted(sequence.get(i)))
                        .toList();
        return rules.sequenceIsStruct()
                ? IntStream.range(0, parts.size())
                        .mapToObj(i -> "'%s', %s".formatted(text(sequence.get(i)), parts.get(i)))
                        .collect(Collectors.joining(", ", "named_struct(", ")"))
                : String.join(", ", parts);
    }

    private static String text(String name) {
        return name.replace("\\", "\\\\").replace("'", "\\'");
    }

    /** Events numbered per key, NULLs filled. */
    private String filled() {
        var ignored = rules.ignoreNulls().map(this::chosen).orElseThrow();
        var lives =
                ("SELECT *, sum(CASE WHEN %s THEN 1 ELSE 0 END) OVER (PARTITION BY %s ORDER BY %s"
                                + " %s) AS %slife FROM (%s)")
                        .formatted(DELETED, keyText, NUMBER, UP_TO_HERE, OURS, numbered());
        var window =
                " OVER (PARTITION BY %s, %slife ORDER BY %s %s)"
                        .formatted(keyText, OURS, NUMBER, UP_TO_HERE);
        var values = new ArrayList<String>();
        for (var column : all()) {
            var name = quoted(column);
            values.add(
                    ignored.contains(column) && !keys.contains(column)
                            ? "last_value(CASE WHEN NOT %s THEN %s END, true)%s AS %s"
                                    .formatted(DELETED, name, window, name)
                            : name);
        }
        for (int i = 0; i < sequence.size(); i++) {
            values.add("%s AS %ssequence_%d".formatted(quoted(sequence.get(i)), OURS, i));
        }
        return "SELECT %s, %s, %s FROM (%s)"
                .formatted(String.join(", ", values), DELETED, NUMBER, lives);
    }

    private String numbered() {
        return "SELECT *, row_number() OVER (PARTITION BY %s ORDER BY %s) AS %s FROM (%s)"
                .formatted(keyText, order(""), NUMBER, events());
    }

    /** The source with what each event does; truncated ones left out. */
    private String events() {
        var table = quoted(flow.source().catalog()) + "." + quoted(flow.source().schema());
        var from = table + "." + quoted(flow.source().table());
        var deleted =
                rules.deleteWhen()
                        .map(c -> "coalesce((%s\n), false)".formatted(c.text()))
                        .orElse("false");
        if (rules.truncateWhen().isEmpty()) {
            return "SELECT %s, %s AS %s FROM %s".formatted(quoted(all()), deleted, DELETED, from);
        }
        var truncates = "(%s\n)".formatted(rules.truncateWhen().get().text());
        var at = quoted(sequence);
        return ("SELECT %s, %s AS %s FROM %s CROSS JOIN"
                                + " (SELECT max(%s) AS %struncated FROM %s WHERE %s)")
                        .formatted(quoted(all()), deleted, DELETED, from, at, OURS, from, truncates)
                + (" WHERE NOT coalesce(%1$s, false) AND (%2$struncated IS NULL"
                                + " OR %3$s > %2$struncated)")
                        .formatted(truncates, OURS, at);
    }

    /** By sequence; equal ones by what is left. */
    private String order(String direction) {
        var ties =
                source.columns().stream()
                        .filter(ChangeQuery::isOrdered)
                        .map(Column::name)
                        .filter(c -> !sequence.contains(c) && !keys.contains(c));
        return Stream.of(
                        sequence.stream().map(ChangeQuery::quoted),
                        Stream.of(DELETED),
                        ties.map(ChangeQuery::quoted))
                .flatMap(s -> s)
                .map(column -> column + direction)
                .collect(Collectors.joining(", "));
    }

    private static boolean isOrdered(Column column) {
        return column.type() instanceof Primitive || column.type() instanceof DataType.Decimal;
    }

    private List<String> all() {
        return source.columns().stream().map(Column::name).toList();
    }

    private List<String> chosen(Columns some) {
        var named = resolved(some.words());
        return some.except() ? all().stream().filter(c -> !named.contains(c)).toList() : named;
    }

    private List<String> resolved(List<Word> words) {
        var found = new ArrayList<String>();
        for (var word : words) {
            var place = source.indexOf(word.text());
            if (place.isEmpty()) {
                throw new TextRefused(
                        word.position(),
                        "%s has no column '%s'".formatted(flow.source(), word.text()),
                        NearestName.hint(word.text(), all()));
            }
            found.add(source.column(place.getAsInt()).name());
        }
        return found;
    }

    private static String quoted(String name) {
        return "`" + name.replace("`", "``") + "`";
    }

    private static String quoted(List<String> names) {
        return names.stream().map(ChangeQuery::quoted).collect(Collectors.joining(", "));
    }
}
