package dev.lakemill.agents.runtime;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.sql.Timestamp;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * What starts runs by itself: schedules, and changed rows of state and synced tables.
 *
 * <p>A changed row starts its run in the transaction that changes it, by a trigger in Postgres; for
 * a synced table that is the round of its sync. So there is a run exactly when the change stands.
 * Rows that are there already start nothing, and an agent's own changes do not start that agent.
 */
public final class AgentTriggers {
    private static final String NAME = "[a-z][a-z0-9_-]{0,47}";

    /**
     * Rows whose changes start runs.
     *
     * @param table of the catalog, by its full name
     * @param keyColumns whose values a run gets; empty for the primary key
     * @param operations of {@code insert}, {@code update}, {@code delete}
     * @param changedColumn that has to differ from before; empty for any change
     * @param becomes what that column has to be afterwards; null for anything
     */
    public record RowChange(
            String table,
            List<String> keyColumns,
            List<String> operations,
            String changedColumn,
            @Nullable String becomes) {
        public RowChange {
            keyColumns = List.copyOf(keyColumns);
            operations = List.copyOf(operations);
        }
    }

    private final AgentSql sql;
    private final Clock clock;

    public AgentTriggers(DataSource database, Clock clock) {
        this.sql = new AgentSql(database);
        this.clock = clock;
    }

    /**
     * Starts runs by a schedule. Times that went by while no node ran come once, when one does.
     *
     * @param input of its runs, to which the time is added
     */
    public void schedule(
            String actor, String name, String agent, String cron, String zone, JsonNode input) {
        var next = Cron.parse(cron, zone).next(clock.instant());
        requireName(name);
        sql.update(
                """
                INSERT INTO lakemill.agent_triggers (name, agent, kind, cron, time_zone, next_at,
                    input, created_by)
                VALUES (?, ?, 'schedule', ?, ?, ?, ?::jsonb, ?)
                """,
                name,
                agent,
                cron,
                zone,
                Timestamp.from(next),
                input,
                actor);
    }

    /** Starts a run for each change of a row. */
    public void onRowChange(
            String actor, String name, String agent, RowChange change, JsonNode input) {
        requireName(name);
        sql.update(
                """
                INSERT INTO lakemill.agent_triggers (name, agent, kind, table_name, key_columns,
                    operations, changed_column, becomes, input, created_by)
                VALUES (?, ?, 'row_change', ?, ?, ?, ?, ?, ?::jsonb, ?)
                """,
                name,
                agent,
                change.table(),
                change.keyColumns(),
                change.operations(),
                change.changedColumn(),
                change.becomes(),
                input,
                actor);
        try {
            sql.value(
                    """
                    SELECT lakemill.agent_attach_trigger(t)
                    FROM lakemill.agent_triggers t WHERE t.name = ?
                    """,
                    name);
        } catch (LakemillException e) {
            drop(name);
            throw e;
        }
    }

    private static void requireName(String name) {
        if (!name.matches(NAME)) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "'%s' is no name of a trigger".formatted(name),
                    "use up to 48 of a-z, 0-9, _ and -, a letter first");
        }
    }

    /** False when there is none. */
    public boolean drop(String name) {
        return "t".equals(sql.value("SELECT lakemill.agent_drop_trigger(?)", name));
    }

    /** Of one agent. */
    public JsonNode list(String agent) {
        return sql.json(
                """
                SELECT coalesce(jsonb_agg(to_jsonb(t) ORDER BY t.name), '[]')
                FROM lakemill.agent_triggers t WHERE t.agent = ?
                """,
                agent);
    }

    /** Puts triggers on tables that lack them; returns how many. */
    public int attach() {
        return Integer.parseInt(
                String.valueOf(sql.value("SELECT lakemill.agent_attach_triggers()")));
    }

    /** Starts what is due; returns how many. A time is taken by one node, and its run once. */
    public int fire() {
        var due =
                sql.json(
                        """
                        SELECT coalesce(jsonb_agg(to_jsonb(t)), '[]') FROM lakemill.agent_triggers t
                        WHERE t.kind = 'schedule' AND NOT t.paused AND t.next_at <= ?
                        """,
                        Timestamp.from(clock.instant()));
        for (var trigger : due) {
            fire(trigger);
        }
        return due.size();
    }

    /** The run first: its key makes a repetition harmless. */
    private void fire(JsonNode trigger) {
        var name = trigger.path("name").asText();
        var at = trigger.path("next_at").asText();
        sql.value(
                """
                SELECT lakemill.agent_start_as('system', ?, 'schedule', ?,
                    ?::jsonb || jsonb_build_object('trigger', ?, 'scheduled_at', ?), '')
                """,
                trigger.path("agent").asText(),
                "schedule:" + name + ":" + at,
                trigger.path("input"),
                name,
                at);
        var next = next(trigger, clock.instant());
        sql.update(
                """
                UPDATE lakemill.agent_triggers SET next_at = ?
                WHERE name = ? AND next_at = ?::timestamptz
                """,
                Timestamp.from(next),
                name,
                at);
    }

    private static Instant next(JsonNode trigger, Instant after) {
        var zone = trigger.path("time_zone").asText();
        return Cron.parse(trigger.path("cron").asText(), zone).next(after);
    }
}
