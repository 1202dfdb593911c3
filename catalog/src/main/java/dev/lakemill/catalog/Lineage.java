package dev.lakemill.catalog;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Where data came from and where it went, by table and by column, kept in Postgres with the columns
 * of Databricks' {@code system.access.table_lineage} and {@code column_lineage}.
 *
 * <p>Flows are kept by windows of time, so that a stream of a million rows is one row an hour. Safe
 * to use from any thread.
 */
public final class Lineage {
    /** How far a walk may go. */
    public static final int DEPTH_MAX = 32;

    /** How many steps a walk may find; it ends there. */
    public static final int LINKS_MAX = 10_000;

    /** Which way to walk: to what a table is made from, or to what is made from it. */
    public enum Direction {
        UPSTREAM,
        DOWNSTREAM
    }

    /** A recorded flow between two places in one window, as {@link #events} lists it. */
    public record Event(LineageLink link, Instant windowStart, long rows, String recordId) {}

    private static final String RECORD_TABLE =
            """
            INSERT INTO lakemill.table_lineage AS l (entity_type, entity_id, entity_run_id,
                source_type, source_name, target_type, target_name, created_by, window_start,
                event_time, row_count)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (target_name, source_name, entity_type, entity_id, created_by, window_start)
            DO UPDATE SET event_time = greatest(l.event_time, excluded.event_time),
                entity_run_id = excluded.entity_run_id,
                row_count = l.row_count + excluded.row_count
            """;
    private static final String RECORD_COLUMN =
            """
            INSERT INTO lakemill.column_lineage AS l (entity_type, entity_id, entity_run_id,
                source_type, source_name, target_type, target_name, created_by, window_start,
                event_time, source_column, target_column)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (target_name, target_column, source_name, source_column, entity_type,
                entity_id, created_by, window_start)
            DO UPDATE SET event_time = greatest(l.event_time, excluded.event_time),
                entity_run_id = excluded.entity_run_id
            """;

    private static final int COUNTED_MAX = 10_000;

    /** Rows that an entity wrote to a place within an hour, which are not recorded yet. */
    private record Counted(
            LineageEntity entity, String createdBy, LineageNode target, Instant hour) {}

    private record Count(long rows, Instant newest) {
        Count plus(Count other) {
            return new Count(
                    rows + other.rows, newest.isAfter(other.newest) ? newest : other.newest);
        }
    }

    private final DataSource database;
    private final Clock clock;
    private final Map<Counted, Count> counted = new ConcurrentHashMap<>();

    Lineage(DataSource database, Clock clock) {
        this.database = database;
        this.clock = clock;
    }

    /**
     * Counts rows that came from outside, in memory until {@link #flush}: cheap enough for every
     * request. A crash loses what was counted since.
     */
    public void wrote(LineageEntity entity, String createdBy, LineageNode target, long rows) {
        var now = clock.instant();
        var key = new Counted(entity, createdBy, target, now.truncatedTo(ChronoUnit.HOURS));
        counted.merge(key, new Count(rows, now), Count::plus);
        if (counted.size() > COUNTED_MAX) {
            flush();
        }
    }

    /** Records what was counted; what Postgres does not take stays counted. */
    public void flush() {
        var flows = new ArrayList<LineageFlow>();
        var taken = new HashMap<Counted, Count>();
        for (var key : List.copyOf(counted.keySet())) {
            var count = counted.remove(key);
            if (count != null) {
                taken.put(key, count);
                flows.add(
                        new LineageFlow(
                                key.entity(),
                                key.createdBy(),
                                key.hour(),
                                count.newest(),
                                List.of(
                                        new LineageFlow.Edge(
                                                null, key.target(), List.of(), count.rows()))));
            }
        }
        try {
            record(flows);
        } catch (RuntimeException e) {
            taken.forEach((key, count) -> counted.merge(key, count, Count::plus));
            throw e;
        }
    }

    public void record(List<LineageFlow> flows) {
        Transactions.run(
                database,
                connection -> {
                    record(connection, flows);
                    return flows.size();
                });
    }

    /** Records inside the caller's transaction. */
    public void record(Connection transaction, List<LineageFlow> flows) throws SQLException {
        try (var tables = transaction.prepareStatement(RECORD_TABLE);
                var columns = transaction.prepareStatement(RECORD_COLUMN)) {
            for (var flow : flows) {
                for (var edge : flow.edges()) {
                    bind(tables, flow, edge);
                    tables.setLong(11, edge.rows());
                    tables.addBatch();
                    for (var pair : new HashSet<>(edge.columns())) {
                        bind(columns, flow, edge);
                        columns.setString(11, pair.source());
                        columns.setString(12, pair.target());
                        columns.addBatch();
                    }
                }
            }
            tables.executeBatch();
            columns.executeBatch();
        }
    }

    private static void bind(PreparedStatement insert, LineageFlow flow, LineageFlow.Edge edge)
            throws SQLException {
        insert.setString(1, flow.entity().type().name());
        insert.setString(2, flow.entity().id());
        insert.setString(3, flow.entity().runId());
        bind(insert, 4, edge.source());
        bind(insert, 6, edge.target());
        insert.setString(8, flow.createdBy());
        insert.setObject(9, flow.windowStart().atOffset(ZoneOffset.UTC));
        insert.setObject(10, flow.time().atOffset(ZoneOffset.UTC));
    }

    private static void bind(PreparedStatement insert, int at, @Nullable LineageNode node)
            throws SQLException {
        insert.setString(at, node == null ? "" : node.type().name());
        insert.setString(at + 1, node == null ? "" : node.name());
    }

    /**
     * The tables next to a table, and next to those, to a depth: each link once, at its least
     * depth, its newest flow.
     *
     * @param visible what may be told of; the walk does not go through anything else
     */
    public List<LineageLink> tables(
            String table, Direction direction, int depth, Predicate<LineageNode> visible) {
        return walk(direction, depth, visible, new Level(List.of(table), List.of()));
    }

    /** The columns that a column is made from, or that are made from it, to a depth. */
    public List<LineageLink> columns(
            String table,
            String column,
            Direction direction,
            int depth,
            Predicate<LineageNode> visible) {
        return walk(direction, depth, visible, new Level(List.of(table), List.of(column)));
    }

    /**
     * What flowed within a time, oldest first, columns not among it.
     *
     * @param after the time and record of the last one seen; the first page has EPOCH and no record
     */
    public List<Event> events(Instant after, String afterRecord, Instant before, int eventsMax) {
        var sql =
                """
                SELECT source_type, source_name, '', target_type, target_name, '', entity_type,
                    entity_id, entity_run_id, created_by, event_time, window_start, row_count,
                    record_id
                FROM lakemill.table_lineage
                WHERE (event_time, record_id) > (?, ?::uuid) AND event_time < ?
                ORDER BY event_time, record_id LIMIT ?
                """;
        var noRecord = "00000000-0000-0000-0000-000000000000";
        return Transactions.run(
                database,
                connection -> {
                    try (var query = connection.prepareStatement(sql)) {
                        query.setTimestamp(1, Timestamp.from(after));
                        query.setString(2, afterRecord.isEmpty() ? noRecord : afterRecord);
                        query.setTimestamp(3, Timestamp.from(before));
                        query.setInt(4, eventsMax);
                        return events(query);
                    }
                });
    }

    /** How the columns of two tables belonged together in a window. */
    public List<LineageFlow.Columns> columns(Event event) {
        var sql =
                """
                SELECT source_column, target_column FROM lakemill.column_lineage
                WHERE target_name = ? AND source_name = ? AND entity_type = ? AND entity_id = ?
                    AND created_by = ? AND window_start = ?
                ORDER BY target_column, source_column
                """;
        var link = event.link();
        if (link.source() == null || link.target() == null) {
            return List.of();
        }
        var source = link.source().name();
        var target = link.target().name();
        return Transactions.run(
                database,
                connection -> {
                    try (var query = connection.prepareStatement(sql)) {
                        query.setString(1, target);
                        query.setString(2, source);
                        query.setString(3, link.entity().type().name());
                        query.setString(4, link.entity().id());
                        query.setString(5, link.createdBy());
                        query.setTimestamp(6, Timestamp.from(event.windowStart()));
                        return pairs(query);
                    }
                });
    }

    /** Forgets what last flowed before a time; returns how much. */
    public int forget(Instant before) {
        return Transactions.run(
                database,
                connection -> {
                    var forgotten = 0;
                    for (var table : List.of("table_lineage", "column_lineage")) {
                        var sql = "DELETE FROM lakemill." + table + " WHERE event_time < ?";
                        try (var delete = connection.prepareStatement(sql)) {
                            delete.setTimestamp(1, Timestamp.from(before));
                            forgotten += delete.executeUpdate();
                        }
                    }
                    return forgotten;
                });
    }

    /** Where a walk stands; {@code columns} are beside {@code tables}, or empty for tables. */
    private record Level(List<String> tables, List<String> columns) {
        boolean ofColumns() {
            return !columns.isEmpty();
        }
    }

    private List<LineageLink> walk(
            Direction direction, int depthMax, Predicate<LineageNode> visible, Level start) {
        var found = new ArrayList<LineageLink>();
        var seen = new HashSet<String>();
        remember(start, seen);
        var level = start;
        for (var depth = 1; depth <= Math.min(depthMax, DEPTH_MAX); depth++) {
            var here = level;
            var at = depth;
            var links = Transactions.run(database, c -> step(c, direction, here, at));
            var tables = new ArrayList<String>();
            var columns = new ArrayList<String>();
            for (var link : links) {
                var upstream = direction == Direction.UPSTREAM;
                var next = upstream ? link.source() : link.target();
                if (next != null && !visible.test(next)) {
                    continue;
                }
                if (found.size() == LINKS_MAX) {
                    return found;
                }
                found.add(link);
                var column = upstream ? link.sourceColumn() : link.targetColumn();
                if (next != null && seen.add(key(next.name(), column))) {
                    tables.add(next.name());
                    columns.add(column);
                }
            }
            if (tables.isEmpty()) {
                return found;
            }
            level = new Level(tables, start.ofColumns() ? columns : List.of());
        }
        return found;
    }

    private static void remember(Level start, Set<String> seen) {
        seen.add(
                key(
                        start.tables().getFirst(),
                        start.ofColumns() ? start.columns().getFirst() : ""));
    }

    private static String key(String table, String column) {
        return (table + "\0" + column).toLowerCase(Locale.ROOT);
    }

    private static List<LineageLink> step(
            Connection connection, Direction direction, Level level, int depth)
            throws SQLException {
        var end = direction == Direction.UPSTREAM ? "target" : "source";
        var sql =
                level.ofColumns()
                        ? """
                        SELECT DISTINCT ON (target_name, source_name, target_column,
                            source_column, entity_type, entity_id) source_type, source_name,
                            source_column, target_type, target_name, target_column, entity_type,
                            entity_id, entity_run_id, created_by, event_time
                        FROM lakemill.column_lineage
                        WHERE (lower(%1$s_name), lower(%1$s_column)) IN (
                            SELECT lower(t), lower(c) FROM unnest(?::text[], ?::text[]) AS u (t, c))
                        ORDER BY target_name, source_name, target_column, source_column,
                            entity_type, entity_id, event_time DESC LIMIT ?
                        """
                        : """
                        SELECT DISTINCT ON (target_name, source_name, entity_type, entity_id)
                            source_type, source_name, '', target_type, target_name, '',
                            entity_type, entity_id, entity_run_id, created_by, event_time
                        FROM lakemill.table_lineage
                        WHERE lower(%1$s_name) IN (
                            SELECT lower(t) FROM unnest(?::text[]) AS u (t))
                        ORDER BY target_name, source_name, entity_type, entity_id,
                            event_time DESC LIMIT ?
                        """;
        try (var query = connection.prepareStatement(sql.formatted(end))) {
            var at = 1;
            query.setArray(
                    at++, connection.createArrayOf("text", level.tables().toArray(String[]::new)));
            if (level.ofColumns()) {
                query.setArray(
                        at++,
                        connection.createArrayOf("text", level.columns().toArray(String[]::new)));
            }
            query.setInt(at, LINKS_MAX);
            var links = new ArrayList<LineageLink>();
            try (var rows = query.executeQuery()) {
                while (rows.next()) {
                    links.add(link(rows, depth));
                }
            }
            return links;
        }
    }

    private static List<Event> events(PreparedStatement query) throws SQLException {
        var events = new ArrayList<Event>();
        try (var rows = query.executeQuery()) {
            while (rows.next()) {
                events.add(
                        new Event(
                                link(rows, 1),
                                rows.getTimestamp(12).toInstant(),
                                rows.getLong(13),
                                rows.getString(14)));
            }
        }
        return events;
    }

    private static List<LineageFlow.Columns> pairs(PreparedStatement query) throws SQLException {
        var pairs = new ArrayList<LineageFlow.Columns>();
        try (var rows = query.executeQuery()) {
            while (rows.next()) {
                pairs.add(new LineageFlow.Columns(rows.getString(1), rows.getString(2)));
            }
        }
        return pairs;
    }

    private static LineageLink link(ResultSet row, int depth) throws SQLException {
        return new LineageLink(
                node(row.getString(1), row.getString(2)),
                row.getString(3),
                node(row.getString(4), row.getString(5)),
                row.getString(6),
                new LineageEntity(
                        LineageEntity.Type.valueOf(row.getString(7)),
                        row.getString(8),
                        row.getString(9)),
                row.getString(10),
                row.getTimestamp(11).toInstant(),
                depth);
    }

    private static @Nullable LineageNode node(String type, String name) {
        return name.isEmpty() ? null : new LineageNode(LineageNode.Type.valueOf(type), name);
    }
}
