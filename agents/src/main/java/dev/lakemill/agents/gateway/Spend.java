package dev.lakemill.agents.gateway;

import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Migrations;
import dev.lakemill.catalog.Principals;
import dev.lakemill.catalog.Transactions;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Principal;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.sql.Types;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The account of calls in Postgres. A call's most possible tokens and cost are reserved, and its
 * usage row is written, in one transaction before any provider is asked; afterwards the row says
 * what was used, and the difference is given back. So a crash in between leaves a row, and costs
 * its caller what was reserved: never less than was used. Without Postgres nothing is asked. Safe
 * to use from any thread.
 */
final class Spend {
    private static final Logger log = LoggerFactory.getLogger(Spend.class);
    private static final Migrations MIGRATIONS =
            new Migrations("models", Spend.class, List.of("0001-usage.sql", "0002-answers.sql"));
    private static final int UNSETTLED_MAX = 10_000;
    private static final int ERROR_CHARS_MAX = 1_000;
    private static final Duration PRUNED_EVERY = Duration.ofHours(1);
    private static final String PRUNE =
            """
            DELETE FROM lakemill.model_spend WHERE period_start < now() - interval '3 days';
            DELETE FROM lakemill.model_usage WHERE event_time < now() - interval '365 days';
            DELETE FROM lakemill.model_payload WHERE event_time < now() - interval '30 days';
            """;

    /** A call that is about to be made. */
    record Planned(
            UUID requestId,
            Caller caller,
            EndpointConfig endpoint,
            String api,
            boolean isStream,
            long inputTokens,
            long outputTokens) {
        long tokens() {
            return inputTokens + outputTokens;
        }

        long costMicros() {
            return endpoint.costMicrosMax(inputTokens, outputTokens);
        }
    }

    /** A limit that counts a call. */
    record Counted(RateLimit limit, String as, Instant start) {}

    /** A call that may be made. */
    record Reserved(Planned planned, List<Counted> counted) {}

    /** What was asked and answered, redacted. */
    record Payload(String request, String response) {}

    private record Settlement(Reserved reserved, Outcome outcome, @Nullable Payload payload) {}

    private final DataSource database;
    private final Principals principals;
    private final Clock clock;
    private final ConcurrentLinkedQueue<Settlement> unsettled = new ConcurrentLinkedQueue<>();
    private final AtomicInteger unsettledCount = new AtomicInteger();
    private volatile Instant pruned = Instant.MIN;

    private Spend(DataSource database, Principals principals, Clock clock) {
        this.database = database;
        this.principals = principals;
        this.clock = clock;
    }

    /** Makes its tables; calls of a process that was killed are told as such. */
    static Spend open(DataSource database, Principals principals, Clock clock) {
        MIGRATIONS.apply(database);
        var sql =
                """
                UPDATE lakemill.model_usage SET status_code = 500,
                    error = 'the node ended before the call did; what was reserved counts'
                WHERE status_code IS NULL
                """;
        Transactions.run(
                database,
                connection -> {
                    try (var update = connection.prepareStatement(sql)) {
                        return update.executeUpdate();
                    }
                });
        return new Spend(database, principals, clock);
    }

    /**
     * @throws ModelProblem LIMITED or BUDGET_SPENT with when it begins anew; UNAVAILABLE without
     *     Postgres
     */
    Reserved reserve(Planned planned) {
        settleWaiting();
        var now = clock.instant();
        var counted = counted(planned.endpoint(), planned.caller().principal(), now);
        try {
            return Transactions.run(
                    database,
                    connection -> {
                        for (var each : counted) {
                            count(connection, planned, each, now);
                        }
                        insert(connection, planned, now);
                        prune(connection, now);
                        return new Reserved(planned, counted);
                    });
        } catch (LakemillException e) {
            throw new ModelProblem(
                    ModelProblem.Kind.UNAVAILABLE,
                    "the call cannot be accounted, so that it is not made: " + e.problem(),
                    "see that Postgres runs");
        }
    }

    /** Never fails: what Postgres does not take now goes along with a later call. */
    void settle(Reserved reserved, Outcome outcome, @Nullable Payload payload) {
        var settlement = new Settlement(reserved, outcome, payload);
        try {
            Transactions.run(
                    database,
                    connection -> {
                        settle(connection, settlement);
                        return true;
                    });
        } catch (LakemillException e) {
            log.warn("a call's use waits to be written: {}", e.getMessage());
            if (unsettledCount.incrementAndGet() > UNSETTLED_MAX) {
                unsettledCount.decrementAndGet();
                log.error("{} wait already: what it reserved counts", UNSETTLED_MAX);
            } else {
                unsettled.add(settlement);
            }
        }
    }

    /** What counts a call, in one order for all, so that no two calls wait in a ring. */
    List<Counted> counted(EndpointConfig endpoint, Principal caller, Instant now) {
        var groups = principals.groupsOf(caller.id());
        var found = new ArrayList<Counted>();
        for (var limit : endpoint.rateLimits()) {
            limit.countedAs(caller, groups)
                    .ifPresent(as -> found.add(new Counted(limit, as, limit.period().start(now))));
        }
        found.sort(
                Comparator.comparing(Counted::as)
                        .thenComparing(each -> each.limit().period().name())
                        .thenComparingLong(each -> each.limit().calls())
                        .thenComparingLong(each -> each.limit().tokens()));
        return merged(found);
    }

    /** Two limits that count the same are one counter, with the smaller of each number. */
    private static List<Counted> merged(List<Counted> sorted) {
        var merged = new ArrayList<Counted>();
        for (var each : sorted) {
            var last = merged.isEmpty() ? null : merged.getLast();
            if (last != null
                    && last.as().equals(each.as())
                    && last.limit().period() == each.limit().period()) {
                var a = last.limit();
                var b = each.limit();
                var both =
                        new RateLimit(
                                a.key(),
                                a.principal(),
                                a.period(),
                                Math.min(a.calls(), b.calls()),
                                Math.min(a.tokens(), b.tokens()),
                                Math.min(a.costMicros(), b.costMicros()));
                merged.set(merged.size() - 1, new Counted(both, each.as(), each.start()));
            } else {
                merged.add(each);
            }
        }
        return List.copyOf(merged);
    }

    private static void count(Connection connection, Planned planned, Counted counted, Instant now)
            throws SQLException {
        var sql =
                """
                INSERT INTO lakemill.model_spend AS s
                    (endpoint, counted_as, period, period_start, calls, tokens, cost_micros)
                SELECT ?, ?, ?, ?::timestamptz, 1, v.tokens, v.cost
                FROM (SELECT ?::bigint AS tokens, ?::bigint AS cost, ?::bigint AS calls_max,
                    ?::bigint AS tokens_max, ?::bigint AS cost_max) v
                WHERE v.calls_max >= 1 AND v.tokens <= v.tokens_max AND v.cost <= v.cost_max
                ON CONFLICT (endpoint, counted_as, period, period_start) DO UPDATE
                SET calls = s.calls + 1, tokens = s.tokens + excluded.tokens,
                    cost_micros = s.cost_micros + excluded.cost_micros
                WHERE s.calls < ? AND s.tokens <= ? - excluded.tokens
                    AND s.cost_micros <= ? - excluded.cost_micros
                """;
        var limit = counted.limit();
        try (var insert = connection.prepareStatement(sql)) {
            key(insert, planned, counted, 1);
            insert.setLong(5, planned.tokens());
            insert.setLong(6, planned.costMicros());
            for (var at : List.of(7, 10)) {
                insert.setLong(at, limit.calls());
                insert.setLong(at + 1, limit.tokens());
                insert.setLong(at + 2, limit.costMicros());
            }
            if (insert.executeUpdate() == 0) {
                throw exceeded(planned, counted, now);
            }
        }
    }

    private static void key(PreparedStatement statement, Planned planned, Counted counted, int at)
            throws SQLException {
        statement.setString(at, planned.endpoint().name());
        statement.setString(at + 1, counted.as());
        statement.setString(at + 2, counted.limit().period().name());
        statement.setTimestamp(at + 3, Timestamp.from(counted.start()));
    }

    private static ModelProblem exceeded(Planned planned, Counted counted, Instant now) {
        var limit = counted.limit();
        var isDay = limit.period() == RateLimit.Period.DAY;
        var told = new ArrayList<String>();
        if (limit.calls() != RateLimit.ANY) {
            told.add(limit.calls() + " calls");
        }
        if (limit.tokens() != RateLimit.ANY) {
            told.add(limit.tokens() + " tokens");
        }
        if (limit.costMicros() != RateLimit.ANY) {
            told.add("%.2f dollars".formatted(limit.costMicros() / 1e6));
        }
        return new ModelProblem(
                isDay ? ModelProblem.Kind.BUDGET_SPENT : ModelProblem.Kind.LIMITED,
                "endpoint '%s' allows %s %s a %s, and this call may need %d tokens"
                        .formatted(
                                planned.endpoint().name(),
                                counted.as().equals("endpoint") ? "all callers" : "this caller",
                                String.join(", ", told),
                                limit.period().name().toLowerCase(java.util.Locale.ROOT),
                                planned.tokens()),
                "wait, ask for fewer max_tokens, or raise rate_limits in lakemill.yml",
                Duration.between(now, limit.period().end(counted.start())));
    }

    private static void insert(Connection connection, Planned planned, Instant now)
            throws SQLException {
        var sql =
                """
                INSERT INTO lakemill.model_usage (request_id, event_time, endpoint, api,
                    requester_id, requester, on_behalf_of, door, is_stream, input_tokens,
                    output_tokens, cost_micros)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """;
        var caller = planned.caller();
        var onBehalfOf = caller.onBehalfOf();
        try (var insert = connection.prepareStatement(sql)) {
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
            insert.executeUpdate();
        }
    }

    /** A refused call has a row as well; best effort, for nothing was asked. */
    void refused(Planned planned, int status, String error) {
        var provider = ProviderConfig.template();
        record(planned, new Outcome(provider, "", status, error, TokenUsage.NONE, 0, null, 0));
    }

    /** The row of a call that reserved nothing; best effort. */
    void record(Planned planned, Outcome outcome) {
        try {
            Transactions.run(
                    database,
                    connection -> {
                        insert(connection, planned, clock.instant());
                        settle(
                                connection,
                                new Settlement(new Reserved(planned, List.of()), outcome, null));
                        return true;
                    });
        } catch (LakemillException e) {
            log.warn("a call leaves no usage row: {}", e.getMessage());
        }
    }

    /** Postgres may be there again: what fails again waits again. */
    private void settleWaiting() {
        for (int waiting = unsettledCount.get(); waiting > 0; waiting--) {
            var next = unsettled.poll();
            if (next == null) {
                return;
            }
            unsettledCount.decrementAndGet();
            settle(next.reserved(), next.outcome(), next.payload());
        }
    }

    private void settle(Connection connection, Settlement settlement) throws SQLException {
        var planned = settlement.reserved().planned();
        var outcome = settlement.outcome();
        if (!complete(connection, planned, outcome)) {
            return;
        }
        for (var counted : settlement.reserved().counted()) {
            giveBack(connection, planned, counted, outcome);
        }
        var payload = settlement.payload();
        if (payload != null) {
            keep(connection, planned, outcome, payload);
        }
    }

    private static void giveBack(
            Connection connection, Planned planned, Counted counted, Outcome outcome)
            throws SQLException {
        var sql =
                """
                UPDATE lakemill.model_spend SET tokens = tokens + ?, cost_micros = cost_micros + ?
                WHERE endpoint = ? AND counted_as = ? AND period = ? AND period_start = ?
                """;
        try (var update = connection.prepareStatement(sql)) {
            update.setLong(1, outcome.usage().total() - planned.tokens());
            update.setLong(2, outcome.costMicros() - planned.costMicros());
            key(update, planned, counted, 3);
            update.executeUpdate();
        }
    }

    /** False when that was done before, though its commit was not confirmed. */
    private static boolean complete(Connection connection, Planned planned, Outcome outcome)
            throws SQLException {
        var sql =
                """
                UPDATE lakemill.model_usage SET provider = ?, model = ?, is_template = ?,
                    status_code = ?, error = ?, input_tokens = ?, output_tokens = ?,
                    is_estimated = ?, cost_micros = ?, latency_ms = ?, first_token_ms = ?,
                    attempts = ?
                WHERE request_id = ? AND status_code IS NULL
                """;
        var wasAsked = outcome.attempts() > 0;
        try (var update = connection.prepareStatement(sql)) {
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
            return update.executeUpdate() == 1;
        }
    }

    private void keep(Connection connection, Planned planned, Outcome outcome, Payload payload)
            throws SQLException {
        var sql =
                """
                INSERT INTO lakemill.model_payload
                    (request_id, event_time, endpoint, requester, status_code, request, response)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """;
        try (var insert = connection.prepareStatement(sql)) {
            insert.setObject(1, planned.requestId());
            insert.setTimestamp(2, Timestamp.from(clock.instant()));
            insert.setString(3, planned.endpoint().name());
            insert.setString(4, planned.caller().principal().name());
            insert.setInt(5, outcome.status());
            insert.setString(6, payload.request().replace("\0", ""));
            insert.setString(7, payload.response().replace("\0", ""));
            insert.executeUpdate();
        }
    }

    private void prune(Connection connection, Instant now) throws SQLException {
        if (now.isAfter(pruned.plus(PRUNED_EVERY))) {
            pruned = now;
            try (var delete = connection.createStatement()) {
                delete.execute(PRUNE);
            }
        }
    }

    private static String shortened(String error) {
        var clean = error.replace("\0", "");
        return clean.length() > ERROR_CHARS_MAX ? clean.substring(0, ERROR_CHARS_MAX) : clean;
    }
}
