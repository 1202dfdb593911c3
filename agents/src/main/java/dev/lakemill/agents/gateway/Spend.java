package dev.lakemill.agents.gateway;

import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Migrations;
import dev.lakemill.catalog.Principals;
import dev.lakemill.catalog.Transactions;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Principal;
import java.sql.Timestamp;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
 * its caller what was reserved: never less than was used. Calls that come at once share their
 * transaction. Without Postgres nothing is asked. Safe to use from any thread.
 */
final class Spend implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Spend.class);
    private static final Migrations MIGRATIONS =
            new Migrations("models", Spend.class, List.of("0001-usage.sql", "0002-answers.sql"));
    private static final int UNSETTLED_MAX = 10_000;
    private static final Duration PRUNED_EVERY = Duration.ofHours(1);

    /** What goes when it is as many days old. */
    private static final Map<String, Integer> PRUNED =
            Map.of(
                    "DELETE FROM lakemill.model_spend WHERE period_start < ?", 3,
                    "DELETE FROM lakemill.model_usage WHERE event_time < ?", 365,
                    "DELETE FROM lakemill.model_payload WHERE event_time < ?", 30);

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

    /** What is written together with others that come at once. */
    sealed interface Entry {
        Reserved reserved();

        /** Before the call. */
        record Reserve(Reserved reserved, Instant at) implements Entry {}

        /** After it. */
        record Settle(Reserved reserved, Outcome outcome, @Nullable Payload payload, Instant at)
                implements Entry {}

        /** A call that reserved nothing. */
        record Whole(Settle settled, Instant at) implements Entry {
            @Override
            public Reserved reserved() {
                return settled.reserved();
            }
        }
    }

    private final DataSource database;
    private final Principals principals;
    private final Clock clock;
    private final ConcurrentLinkedQueue<Entry.Settle> unsettled = new ConcurrentLinkedQueue<>();
    private final GroupCommit<Entry, Optional<ModelProblem>> account;
    private final AtomicInteger unsettledCount = new AtomicInteger();
    private volatile Instant pruned = Instant.MIN;

    private Spend(DataSource database, Principals principals, Clock clock) {
        this.database = database;
        this.principals = principals;
        this.clock = clock;
        this.account =
                new GroupCommit<>(
                        "model-account",
                        group ->
                                Transactions.run(
                                        database,
                                        connection -> new SpendRows(connection).write(group)));
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
        prune(now);
        var counted = counted(planned.endpoint(), planned.caller().principal(), now);
        var reserved = new Reserved(planned, counted);
        var refusal = Optional.<ModelProblem>empty();
        try {
            refusal = account.submit(new Entry.Reserve(reserved, now));
        } catch (LakemillException e) {
            throw new ModelProblem(
                    ModelProblem.Kind.UNAVAILABLE,
                    "the call cannot be accounted, so that it is not made: " + e.problem(),
                    "see that Postgres runs");
        }
        if (refusal.isPresent()) {
            throw refusal.get();
        }
        return reserved;
    }

    /** Never fails: what Postgres does not take now goes along with a later call. */
    void settle(Reserved reserved, Outcome outcome, @Nullable Payload payload) {
        settle(new Entry.Settle(reserved, outcome, payload, clock.instant()));
    }

    private void settle(Entry.Settle settlement) {
        try {
            account.submit(settlement);
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

    static ModelProblem exceeded(Planned planned, Counted counted, Instant now) {
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

    /** A refused call has a row as well; best effort, for nothing was asked. */
    void refused(Planned planned, int status, String error) {
        var provider = ProviderConfig.template();
        record(planned, new Outcome(provider, "", status, error, TokenUsage.NONE, 0, null, 0));
    }

    /** The row of a call that reserved nothing; best effort. */
    void record(Planned planned, Outcome outcome) {
        var now = clock.instant();
        var reserved = new Reserved(planned, List.of());
        try {
            account.submit(new Entry.Whole(new Entry.Settle(reserved, outcome, null, now), now));
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
            settle(next);
        }
    }

    @Override
    public void close() {
        account.close();
    }

    /** Beside the calls, which do not wait for it. */
    private void prune(Instant now) {
        if (now.isAfter(pruned.plus(PRUNED_EVERY))) {
            pruned = now;
            Thread.ofVirtual().name("model-account-pruning").start(() -> pruneUpTo(now));
        }
    }

    private void pruneUpTo(Instant now) {
        try {
            Transactions.run(
                    database,
                    connection -> {
                        for (var rows : PRUNED.entrySet()) {
                            var before = now.minus(rows.getValue(), ChronoUnit.DAYS);
                            try (var delete = connection.prepareStatement(rows.getKey())) {
                                delete.setTimestamp(1, Timestamp.from(before));
                                delete.executeUpdate();
                            }
                        }
                        return true;
                    });
        } catch (LakemillException e) {
            log.warn("old rows of models' use stay for an hour: {}", e.getMessage());
        }
    }
}
