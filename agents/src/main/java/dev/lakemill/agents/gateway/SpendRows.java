package dev.lakemill.agents.gateway;

import dev.lakemill.agents.gateway.Spend.Counted;
import dev.lakemill.agents.gateway.Spend.Entry;
import dev.lakemill.agents.gateway.Spend.Planned;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Timestamp;
import java.sql.Types;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The rows of a group of entries, in one transaction. The group's counters are locked, in one order
 * for all nodes; then each entry in its turn is held against what those before it left, and the
 * sums are written: a counter changes once, however many calls it counts, and is exact. One thread
 * uses it for one transaction.
 */
final class SpendRows {
    private static final int ERROR_CHARS_MAX = 1_000;
    private static final String LOCK =
            """
            SELECT endpoint, counted_as, period, period_start, calls, tokens, cost_micros
            FROM lakemill.model_spend
            JOIN unnest(?::text[], ?::text[], ?::text[], ?::timestamptz[])
                AS k (endpoint, counted_as, period, period_start)
                USING (endpoint, counted_as, period, period_start)
            ORDER BY 1, 2, 3, 4 FOR UPDATE OF model_spend
            """;
    private static final String BEGIN =
            """
            INSERT INTO lakemill.model_spend
                (endpoint, counted_as, period, period_start, calls, tokens, cost_micros)
            VALUES (?, ?, ?, ?, 0, 0, 0) ON CONFLICT DO NOTHING
            """;
    private static final String COUNT =
            """
            UPDATE lakemill.model_spend SET calls = ?, tokens = ?, cost_micros = ?
            WHERE endpoint = ? AND counted_as = ? AND period = ? AND period_start = ?
            """;
    private static final String INSERT =
            """
            INSERT INTO lakemill.model_usage (request_id, event_time, endpoint, api,
                requester_id, requester, on_behalf_of, door, is_stream, input_tokens,
                output_tokens, cost_micros)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """;
    private static final String COMPLETE =
            """
            UPDATE lakemill.model_usage SET provider = ?, model = ?, is_template = ?,
                status_code = ?, error = ?, input_tokens = ?, output_tokens = ?,
                is_estimated = ?, cost_micros = ?, latency_ms = ?, first_token_ms = ?,
                attempts = ?
            WHERE request_id = ? AND status_code IS NULL
            """;
    private static final String KEEP =
            """
            INSERT INTO lakemill.model_payload
                (request_id, event_time, endpoint, requester, status_code, request, response)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            """;

    /** A row of model_spend. */
    private record Key(String endpoint, String as, RateLimit.Period period, Instant start) {
        private static final Comparator<Key> ORDER =
                Comparator.comparing(Key::endpoint)
                        .thenComparing(Key::as)
                        .thenComparing(key -> key.period().name())
                        .thenComparing(Key::start);

        static Key of(Planned planned, Counted counted) {
            return new Key(
                    planned.endpoint().name(),
                    counted.as(),
                    counted.limit().period(),
                    counted.start());
        }

        void set(PreparedStatement statement, int at) throws SQLException {
            statement.setString(at, endpoint);
            statement.setString(at + 1, as);
            statement.setString(at + 2, period.name());
            statement.setTimestamp(at + 3, Timestamp.from(start));
        }
    }

    /** What a counter has counted. */
    private static final class Amount {
        private long calls;
        private long tokens;
        private long costMicros;

        private Amount(long calls, long tokens, long costMicros) {
            this.calls = calls;
            this.tokens = tokens;
            this.costMicros = costMicros;
        }

        boolean hasRoom(RateLimit limit, Planned planned) {
            return calls < limit.calls()
                    && tokens <= limit.tokens() - planned.tokens()
                    && costMicros <= limit.costMicros() - planned.costMicros();
        }

        void add(long moreCalls, long moreTokens, long moreCostMicros) {
            calls += moreCalls;
            tokens += moreTokens;
            costMicros += moreCostMicros;
        }
    }

    private final Connection connection;
    private final Map<Key, Amount> counters = new TreeMap<>(Key.ORDER);

    SpendRows(Connection connection) {
        this.connection = connection;
    }

    /**
     * @return why each may not be made; nothing where it may, or was made
     */
    List<Optional<ModelProblem>> write(List<Entry> group) throws SQLException {
        if (group.stream().allMatch(SpendRows::mayStayReserved)) {
            commitWithoutWaiting();
        }
        lock(group);
        giveBack(complete(only(group, Entry.Settle.class)));
        var refusals = new ArrayList<Optional<ModelProblem>>();
        var inserted = new ArrayList<Entry>();
        for (var entry : group) {
            var refusal =
                    entry instanceof Entry.Reserve reserve
                            ? count(reserve)
                            : Optional.<ModelProblem>empty();
            refusals.add(refusal);
            if (refusal.isEmpty()) {
                inserted.add(entry);
            }
        }
        writeCounters();
        insert(inserted);
        complete(only(group, Entry.Whole.class).stream().map(Entry.Whole::settled).toList());
        return refusals;
    }

    /** Whose loss leaves the row of the call, and more counted than was used. */
    private static boolean mayStayReserved(Entry entry) {
        return entry instanceof Entry.Settle settle && settle.payload() == null;
    }

    /**
     * Everybody sees the commit at once, and a killed node does not undo it. Only a crash of
     * Postgres itself can, until the audit's next record, some milliseconds later, is on disk.
     */
    private void commitWithoutWaiting() throws SQLException {
        try (var setting = connection.createStatement()) {
            setting.execute("SET LOCAL synchronous_commit = off");
        }
    }

    private static <T extends Entry> List<T> only(List<Entry> group, Class<T> kind) {
        return group.stream().filter(kind::isInstance).map(kind::cast).toList();
    }

    // What counts.

    private void lock(List<Entry> group) throws SQLException {
        var begun = keys(group.stream().filter(Entry.Reserve.class::isInstance).toList());
        var all = keys(group);
        if (all.isEmpty()) {
            return;
        }
        read(all);
        if (begun.stream().anyMatch(key -> !counters.containsKey(key))) {
            try (var insert = connection.prepareStatement(BEGIN)) {
                for (var key : begun) {
                    key.set(insert, 1);
                    insert.addBatch();
                }
                insert.executeBatch();
            }
            read(all);
        }
    }

    private static List<Key> keys(List<Entry> group) {
        return group.stream()
                .flatMap(
                        entry ->
                                entry.reserved().counted().stream()
                                        .map(c -> Key.of(entry.reserved().planned(), c)))
                .distinct()
                .sorted(Key.ORDER)
                .toList();
    }

    private void read(List<Key> keys) throws SQLException {
        try (var query = connection.prepareStatement(LOCK)) {
            query.setArray(1, texts(keys.stream().map(Key::endpoint).toList()));
            query.setArray(2, texts(keys.stream().map(Key::as).toList()));
            query.setArray(3, texts(keys.stream().map(key -> key.period().name()).toList()));
            query.setArray(4, texts(keys.stream().map(key -> key.start().toString()).toList()));
            try (var rows = query.executeQuery()) {
                while (rows.next()) {
                    counters.put(
                            new Key(
                                    rows.getString(1),
                                    rows.getString(2),
                                    RateLimit.Period.valueOf(rows.getString(3)),
                                    rows.getTimestamp(4).toInstant()),
                            new Amount(rows.getLong(5), rows.getLong(6), rows.getLong(7)));
                }
            }
        }
    }

    private java.sql.Array texts(Collection<String> texts) throws SQLException {
        return connection.createArrayOf("text", texts.toArray());
    }

    /** By all its limits or by none. */
    private Optional<ModelProblem> count(Entry.Reserve reserve) {
        var planned = reserve.reserved().planned();
        for (var counted : reserve.reserved().counted()) {
            if (!counter(planned, counted).hasRoom(counted.limit(), planned)) {
                return Optional.of(Spend.exceeded(planned, counted, reserve.at()));
            }
        }
        for (var counted : reserve.reserved().counted()) {
            counter(planned, counted).add(1, planned.tokens(), planned.costMicros());
        }
        return Optional.empty();
    }

    private Amount counter(Planned planned, Counted counted) {
        var counter = counters.get(Key.of(planned, counted));
        if (counter == null) {
            throw new IllegalStateException("a counter that was locked is gone: " + counted);
        }
        return counter;
    }

    private void giveBack(List<Entry.Settle> settled) {
        for (var settle : settled) {
            var planned = settle.reserved().planned();
            for (var counted : settle.reserved().counted()) {
                var counter = counters.get(Key.of(planned, counted));
                if (counter != null) { // a call longer than counters are kept gives nothing back
                    counter.add(
                            0,
                            settle.outcome().usage().total() - planned.tokens(),
                            settle.outcome().costMicros() - planned.costMicros());
                }
            }
        }
    }

    private void writeCounters() throws SQLException {
        try (var update = connection.prepareStatement(COUNT)) {
            for (var counter : counters.entrySet()) {
                update.setLong(1, counter.getValue().calls);
                update.setLong(2, counter.getValue().tokens);
                update.setLong(3, counter.getValue().costMicros);
                counter.getKey().set(update, 4);
                update.addBatch();
            }
            update.executeBatch();
        }
    }

    // What tells.

    private void insert(List<Entry> entries) throws SQLException {
        try (var insert = connection.prepareStatement(INSERT)) {
            for (var entry : entries) {
                switch (entry) {
                    case Entry.Reserve(var reserved, var at) -> add(insert, reserved.planned(), at);
                    case Entry.Whole(var settled, var at) ->
                            add(insert, settled.reserved().planned(), at);
                    case Entry.Settle _ -> {}
                }
            }
            insert.executeBatch();
        }
    }

    private static void add(PreparedStatement insert, Planned planned, Instant now)
            throws SQLException {
        var caller = planned.caller();
        var onBehalfOf = caller.onBehalfOf();
        insert.setObject(1, planned.requestId());
        insert.setTimestamp(2, Timestamp.from(now));
        insert.setString(3, planned.endpoint().name());
        insert.setString(4, planned.api());
        insert.setObject(5, caller.principal().id());
        insert.setString(6, caller.principal().name());
        insert.setString(7, onBehalfOf == null ? null : onBehalfOf.name());
        insert.setString(8, caller.door());
        insert.setBoolean(9, planned.isStream());
        insert.setLong(10, planned.inputTokens());
        insert.setLong(11, planned.outputTokens());
        insert.setLong(12, planned.costMicros());
        insert.addBatch();
    }

    /** Without those that were completed before, though their commit was not confirmed. */
    private List<Entry.Settle> complete(List<Entry.Settle> settled) throws SQLException {
        var completed = new ArrayList<Entry.Settle>();
        if (settled.isEmpty()) {
            return completed;
        }
        try (var update = connection.prepareStatement(COMPLETE)) {
            for (var each : settled) {
                add(update, each.reserved().planned(), each.outcome());
            }
            var counts = update.executeBatch();
            for (int i = 0; i < counts.length; i++) {
                if (counts[i] != 0 && counts[i] != Statement.EXECUTE_FAILED) {
                    completed.add(settled.get(i));
                }
            }
        }
        keep(completed);
        return completed;
    }

    private static void add(PreparedStatement update, Planned planned, Outcome outcome)
            throws SQLException {
        var wasAsked = outcome.attempts() > 0;
        update.setString(1, wasAsked ? outcome.provider().name() : null);
        update.setString(2, wasAsked ? outcome.model() : null);
        update.setBoolean(3, wasAsked && outcome.isGood() && outcome.provider().isTemplate());
        update.setInt(4, outcome.status());
        update.setString(5, outcome.error().isEmpty() ? null : shortened(outcome.error()));
        update.setLong(6, outcome.usage().input());
        update.setLong(7, outcome.usage().output());
        update.setBoolean(8, outcome.usage().estimated());
        update.setLong(9, outcome.costMicros());
        update.setLong(10, outcome.latencyMs());
        update.setObject(11, outcome.firstTokenMs(), Types.BIGINT);
        update.setInt(12, outcome.attempts());
        update.setObject(13, planned.requestId());
        update.addBatch();
    }

    private void keep(List<Entry.Settle> completed) throws SQLException {
        try (var insert = connection.prepareStatement(KEEP)) {
            for (var each : completed) {
                var payload = each.payload();
                if (payload != null) {
                    var planned = each.reserved().planned();
                    insert.setObject(1, planned.requestId());
                    insert.setTimestamp(2, Timestamp.from(each.at()));
                    insert.setString(3, planned.endpoint().name());
                    insert.setString(4, planned.caller().principal().name());
                    insert.setInt(5, each.outcome().status());
                    insert.setString(6, payload.request().replace("\0", ""));
                    insert.setString(7, payload.response().replace("\0", ""));
                    insert.addBatch();
                }
            }
            insert.executeBatch();
        }
    }

    private static String shortened(String error) {
        var clean = error.replace("\0", "");
        return clean.length() > ERROR_CHARS_MAX ? clean.substring(0, ERROR_CHARS_MAX) : clean;
    }
}
