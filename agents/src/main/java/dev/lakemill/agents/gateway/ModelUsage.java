package dev.lakemill.agents.gateway;

import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Principals;
import dev.lakemill.catalog.Transactions;
import dev.lakemill.types.Principal;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Clock;
import java.time.Instant;
import java.time.LocalDate;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.Predicate;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** What models were used for, and what is left of each limit, as the account in Postgres has it. */
public final class ModelUsage {
    /** How many rows an answer has at most; the newest days stay. */
    public static final int ROWS_MAX = 10_000;

    private static final String BY_DAY =
            """
            SELECT (event_time AT TIME ZONE 'UTC')::date AS day, endpoint, requester,
                count(*) AS calls, count(*) FILTER (WHERE status_code >= 400) AS failed,
                count(*) FILTER (WHERE is_template) AS templates,
                sum(input_tokens) AS input, sum(output_tokens) AS output, sum(cost_micros) AS cost
            FROM lakemill.model_usage
            WHERE event_time >= ? AND (?::uuid IS NULL OR requester_id = ?::uuid)
            GROUP BY 1, 2, 3 ORDER BY 1 DESC, cost DESC, 2, 3 LIMIT %d
            """
                    .formatted(ROWS_MAX);
    private static final String SPENT =
            """
            SELECT endpoint, counted_as, period, calls, tokens, cost_micros
            FROM lakemill.model_spend
            WHERE period = 'MINUTE' AND period_start = ? OR period = 'DAY' AND period_start = ?
            LIMIT %d
            """
                    .formatted(ROWS_MAX);
    private static final String PRINCIPAL = "principal:";

    /** Calls of one principal at one endpoint on one day of UTC. */
    public record Day(
            LocalDate day,
            String endpoint,
            String requester,
            long calls,
            long failed,
            long templates,
            long inputTokens,
            long outputTokens,
            long costMicros) {}

    /** Calls, tokens and cost. */
    public record Amount(long calls, long tokens, long costMicros) {
        private static final Amount NOTHING = new Amount(0, 0, 0);
    }

    /**
     * A limit and what is used or reserved of it now.
     *
     * @param principal whom it counts; empty for all callers together
     * @param period {@code minute} or {@code day}
     * @param most of each; {@link Long#MAX_VALUE} for any number
     */
    public record Budget(
            String endpoint,
            String principal,
            String period,
            Instant resetsAt,
            Amount used,
            Amount most) {}

    private record Key(String endpoint, String as, RateLimit.Period period) {}

    private final GatewayConfig config;
    private final Spend spend;
    private final DataSource database;
    private final Principals principals;
    private final Clock clock;

    ModelUsage(
            GatewayConfig config,
            Spend spend,
            DataSource database,
            Principals principals,
            Clock clock) {
        this.config = config;
        this.spend = spend;
        this.database = database;
        this.principals = principals;
        this.clock = clock;
    }

    /**
     * Newest day first.
     *
     * @param everybody whether of all principals, not of the caller alone
     * @param days up to today
     */
    public List<Day> byDay(Caller caller, boolean everybody, int days) {
        var since = clock.instant().truncatedTo(ChronoUnit.DAYS).minus(days - 1, ChronoUnit.DAYS);
        return Transactions.run(
                database,
                connection -> days(connection, since, everybody ? null : caller.principal().id()));
    }

    private static List<Day> days(Connection connection, Instant since, @Nullable UUID requester)
            throws SQLException {
        var days = new ArrayList<Day>();
        try (var query = connection.prepareStatement(BY_DAY)) {
            query.setTimestamp(1, Timestamp.from(since));
            query.setObject(2, requester);
            query.setObject(3, requester);
            try (var rows = query.executeQuery()) {
                while (rows.next()) {
                    days.add(
                            new Day(
                                    rows.getObject("day", LocalDate.class),
                                    rows.getString("endpoint"),
                                    rows.getString("requester"),
                                    rows.getLong("calls"),
                                    rows.getLong("failed"),
                                    rows.getLong("templates"),
                                    rows.getLong("input"),
                                    rows.getLong("output"),
                                    rows.getLong("cost")));
                }
            }
        }
        return days;
    }

    /** Of the caller, or of everybody who has used something in the running minute or day. */
    List<Budget> budgets(Caller caller, boolean everybody, Predicate<EndpointConfig> sees) {
        var now = clock.instant();
        var spent = Transactions.run(database, connection -> spent(connection, now));
        var found = new LinkedHashMap<Key, Budget>();
        for (var principal : counted(caller, everybody, spent.keySet())) {
            for (var endpoint : config.endpoints()) {
                if (sees.test(endpoint)) {
                    add(found, endpoint, principal, now, spent);
                }
            }
        }
        return List.copyOf(found.values());
    }

    private Map<Key, Amount> spent(Connection connection, Instant now) throws SQLException {
        var spent = new HashMap<Key, Amount>();
        try (var query = connection.prepareStatement(SPENT)) {
            query.setTimestamp(1, Timestamp.from(RateLimit.Period.MINUTE.start(now)));
            query.setTimestamp(2, Timestamp.from(RateLimit.Period.DAY.start(now)));
            try (var rows = query.executeQuery()) {
                while (rows.next()) {
                    spent.put(
                            new Key(
                                    rows.getString("endpoint"),
                                    rows.getString("counted_as"),
                                    RateLimit.Period.valueOf(rows.getString("period"))),
                            new Amount(
                                    rows.getLong("calls"),
                                    rows.getLong("tokens"),
                                    rows.getLong("cost_micros")));
                }
            }
        }
        return spent;
    }

    private Set<Principal> counted(Caller caller, boolean everybody, Set<Key> spent) {
        var counted = new LinkedHashSet<Principal>();
        counted.add(caller.principal());
        if (everybody) {
            spent.stream()
                    .filter(key -> key.as().startsWith(PRINCIPAL))
                    .map(key -> UUID.fromString(key.as().substring(PRINCIPAL.length())))
                    .flatMap(id -> principals.find(id).stream())
                    .forEach(info -> counted.add(info.principal()));
        }
        return counted;
    }

    private void add(
            Map<Key, Budget> found,
            EndpointConfig endpoint,
            Principal principal,
            Instant now,
            Map<Key, Amount> spent) {
        for (var counted : spend.counted(endpoint, principal, now)) {
            var limit = counted.limit();
            var key = new Key(endpoint.name(), counted.as(), limit.period());
            found.put(
                    key,
                    new Budget(
                            endpoint.name(),
                            switch (limit.key()) {
                                case ENDPOINT -> "";
                                case USER_GROUP -> limit.principal();
                                case USER, SERVICE_PRINCIPAL -> principal.name();
                            },
                            limit.period().name().toLowerCase(Locale.ROOT),
                            limit.period().end(counted.start()),
                            spent.getOrDefault(key, Amount.NOTHING),
                            new Amount(limit.calls(), limit.tokens(), limit.costMicros())));
        }
    }
}
