package dev.lakemill.agents.runtime;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lakemill.catalog.Migrations;
import dev.lakemill.catalog.SqlResource;
import dev.lakemill.catalog.Transactions;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Agents, their runs and approvals, as the node sees them: whoever acts is named in each call, and
 * checked by the functions in Postgres that people and applications call directly too.
 */
public final class AgentStore {
    /** How many runs a list gives at most. */
    public static final int RUNS_MAX = 1_000;

    private static final Migrations MIGRATIONS =
            new Migrations(
                    "agents",
                    AgentStore.class,
                    List.of("0001-agents.sql", "0002-memory.sql", "0003-read-only.sql"));
    private static final List<String> EACH_START =
            List.of("runtime.sql", "people.sql", "triggers.sql", "delete.sql", "messages.sql");

    private static final String REGISTER =
            """
            INSERT INTO lakemill.agents AS a (name, principal, owner, description, callers,
                approvers, steps_max, tokens_max, cost_micros_max, seconds_max, failures_max,
                address_table, address_key, address_column, mail_needs_approval)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (name) DO UPDATE SET principal = excluded.principal,
                owner = excluded.owner, description = excluded.description,
                callers = excluded.callers, approvers = excluded.approvers,
                steps_max = excluded.steps_max, tokens_max = excluded.tokens_max,
                cost_micros_max = excluded.cost_micros_max, seconds_max = excluded.seconds_max,
                failures_max = excluded.failures_max, address_table = excluded.address_table,
                address_key = excluded.address_key, address_column = excluded.address_column,
                mail_needs_approval = excluded.mail_needs_approval,
                version = a.version + 1, updated_at = now()
            """;
    private static final String LIST =
            """
            SELECT coalesce(jsonb_agg(to_jsonb(a) || (
                    SELECT jsonb_build_object('queued', count(*) FILTER (WHERE status = 'queued'),
                        'running', count(*) FILTER (WHERE status = 'running'),
                        'waiting', count(*) FILTER (WHERE status = 'waiting'))
                    FROM lakemill.agent_runs r
                    WHERE r.agent = a.name AND r.status IN ('queued', 'running', 'waiting'))
                || jsonb_build_object('may_manage', lakemill.agent_may_manage(?, a.name))
                ORDER BY a.name), '[]')
            FROM lakemill.agents a
            WHERE lakemill.agent_may_manage(?, a.name) OR lakemill.agent_is_one_of(?, a.callers)
            """;
    private static final String RUN_COLUMNS =
            """
            to_jsonb(r) - '{input,output,fence,lease_owner}'::text[]
            """;
    private static final String MAY_SEE =
            """
            (r.started_by = ? OR r.on_behalf_of = ? OR lakemill.agent_may_manage(?, r.agent))
            """;
    private static final String RUNS =
            """
            SELECT coalesce(jsonb_agg(run ORDER BY at DESC), '[]') FROM (
                SELECT %s AS run, r.created_at AS at FROM lakemill.agent_runs r
                WHERE (? = '' OR r.agent = ?) AND (? = '' OR r.status = ?) AND %s
                ORDER BY r.created_at DESC LIMIT ?) x
            """
                    .formatted(RUN_COLUMNS, MAY_SEE);
    private static final String SHOW =
            """
            SELECT to_jsonb(r) || jsonb_build_object(
                'steps', (SELECT coalesce(jsonb_agg(to_jsonb(s) ORDER BY s.seq), '[]')
                    FROM lakemill.agent_steps s WHERE s.run_id = r.run_id),
                'effects', (SELECT coalesce(jsonb_agg(to_jsonb(e) ORDER BY e.seq), '[]')
                    FROM lakemill.agent_effects e WHERE e.run_id = r.run_id),
                'approvals', (SELECT coalesce(jsonb_agg(to_jsonb(p) ORDER BY p.seq), '[]')
                    FROM lakemill.agent_approvals p WHERE p.run_id = r.run_id),
                'outbox', (SELECT coalesce(jsonb_agg(to_jsonb(o) ORDER BY o.seq), '[]')
                    FROM lakemill.agent_outbox o WHERE o.run_id = r.run_id),
                'messages', (SELECT coalesce(jsonb_agg(to_jsonb(m) ORDER BY m.id), '[]')
                    FROM lakemill.agent_run_messages m WHERE m.run_id = r.run_id),
                'reads', (SELECT coalesce(jsonb_agg(d.table_name ORDER BY 1), '[]')
                    FROM lakemill.agent_reads d WHERE d.run_id = r.run_id))
            FROM lakemill.agent_runs r WHERE r.run_id = ? AND %s
            """
                    .formatted(MAY_SEE);
    private static final String INBOX =
            """
            SELECT coalesce(jsonb_agg(to_jsonb(p) ORDER BY p.created_at), '[]')
            FROM lakemill.agent_approvals p
            WHERE p.state = 'pending' AND lakemill.agent_is_one_of(?, p.assignees)
            """;

    private static final String ENDED =
            """
            SELECT coalesce(jsonb_agg(approval ORDER BY at DESC), '[]') FROM (
                SELECT to_jsonb(p) AS approval, coalesce(p.decided_at, p.created_at) AS at
                FROM lakemill.agent_approvals p
                WHERE p.state <> 'pending' AND (p.decided_by = ?
                    OR lakemill.agent_is_one_of(?, p.assignees)
                    OR lakemill.agent_may_manage(?, p.agent))
                ORDER BY 2 DESC LIMIT ?) x
            """;

    private final AgentSql sql;

    private AgentStore(DataSource database) {
        this.sql = new AgentSql(database);
    }

    /** Makes tables and functions; the catalog and grants of the same database were opened. */
    public static AgentStore open(DataSource database) {
        MIGRATIONS.apply(database);
        Transactions.run(
                database,
                connection -> {
                    try (var statement = connection.createStatement()) {
                        statement.execute("SELECT pg_advisory_xact_lock(7078)");
                        for (var file : EACH_START) {
                            statement.execute(SqlResource.read(AgentStore.class, file));
                        }
                    }
                    return EACH_START.size();
                });
        return new AgentStore(database);
    }

    /** Registers an agent anew, or in the place of the one of its name; the caller may do that. */
    public void register(AgentDefinition agent) {
        requirePrincipals(agent);
        var caps = agent.caps();
        var addresses = agent.addresses();
        sql.update(
                REGISTER,
                agent.name(),
                agent.principal(),
                agent.owner(),
                agent.description(),
                agent.callers(),
                agent.approvers(),
                caps.stepsMax(),
                caps.tokensMax(),
                caps.costMicrosMax(),
                caps.secondsMax(),
                caps.failuresMax(),
                addresses == null ? "" : addresses.table(),
                addresses == null ? "" : addresses.key(),
                addresses == null ? "" : addresses.column(),
                agent.mailNeedsApproval());
    }

    private void requirePrincipals(AgentDefinition agent) {
        var kind =
                sql.value(
                        "SELECT kind FROM lakemill.principals WHERE name = ? AND active",
                        agent.principal());
        if (!"SERVICE_PRINCIPAL".equals(kind)) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "'%s' is no service principal".formatted(agent.principal()),
                    "make one for the agent alone: ./lakemill principal create" + " service NAME");
        }
        if (sql.value("SELECT 1 FROM lakemill.principals WHERE name = ?", agent.owner()) == null) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "there is no principal '%s'".formatted(agent.owner()),
                    "the owner is a user or group");
        }
        var addresses = agent.addresses();
        if (addresses != null
                && sql.value("SELECT to_regclass(?)::text", addresses.table()) == null) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "Postgres has no table %s".formatted(addresses.table()),
                    "name the table of addresses as schema.table");
        }
    }

    /** Those that the actor may start or manage, with how many runs are open. */
    public JsonNode list(String actor) {
        return sql.json(LIST, actor, actor, actor);
    }

    /** Whether the actor owns it, or is a metastore admin. */
    public boolean mayManage(String actor, String agent) {
        return "t".equals(sql.value("SELECT lakemill.agent_may_manage(?, ?)", actor, agent));
    }

    /** Whether there is an agent of the name. */
    public boolean isRegistered(String agent) {
        return sql.value("SELECT 1 FROM lakemill.agents WHERE name = ?", agent) != null;
    }

    /**
     * Starts a run, once for each key.
     *
     * @param kind {@code api}, {@code message} or {@code schedule}
     * @param onBehalfOf empty for nobody but the actor
     */
    public UUID start(
            String actor,
            String agent,
            String kind,
            String key,
            JsonNode input,
            String onBehalfOf) {
        var id =
                sql.value(
                        "SELECT lakemill.agent_start_as(?, ?, ?, ?, ?::jsonb, ?)",
                        actor,
                        agent,
                        kind,
                        key,
                        input,
                        onBehalfOf);
        return UUID.fromString(String.valueOf(id));
    }

    /**
     * The newest runs that the actor may see, without what went in and came out.
     *
     * @param agent empty for all
     * @param status empty for all
     */
    public JsonNode runs(String actor, String agent, String status, int runsMax) {
        var limit = Math.clamp(runsMax, 1, RUNS_MAX);
        return sql.json(RUNS, agent, agent, status, status, actor, actor, actor, limit);
    }

    /** A run with its steps, effects, approvals and e-mail; NOT_FOUND when there is none to see. */
    public JsonNode show(String actor, UUID run) {
        var found = sql.json(SHOW, run, actor, actor, actor);
        if (found.isNull()) {
            throw new LakemillException(
                    ErrorCode.NOT_FOUND,
                    "there is no run %s that %s may see".formatted(run, actor),
                    "list them with './lakemill agent runs'");
        }
        return found;
    }

    /** Approvals that wait for the actor. */
    public JsonNode inbox(String actor) {
        return sql.json(INBOX, actor);
    }

    /**
     * The newest approvals that were decided, expired or went with their run: those that the actor
     * was asked for, and of agents that it manages.
     */
    public JsonNode endedApprovals(String actor, int approvalsMax) {
        return sql.json(ENDED, actor, actor, actor, Math.clamp(approvalsMax, 1, RUNS_MAX));
    }

    /**
     * Takes a decision, once.
     *
     * @param decision {@code accept}, {@code edit}, {@code respond} or {@code ignore}
     * @param args for an edit: those that change; else null
     * @param response for a response: its words
     */
    public void decide(
            String actor,
            UUID approval,
            String decision,
            @Nullable JsonNode args,
            String response) {
        sql.value(
                "SELECT lakemill.agent_decide_as(?, ?, ?, ?::jsonb, ?)",
                actor,
                approval,
                decision,
                args,
                response);
    }

    /** Hands an approval on to another principal or group. */
    public void delegate(String actor, UUID approval, String receiver) {
        sql.value("SELECT lakemill.agent_delegate_as(?, ?, ?)", actor, approval, receiver);
    }

    /**
     * Sends a run that goes on a message.
     *
     * @param key names the message: sent again, it is the same one
     * @return its number
     */
    public long tell(String actor, UUID run, String key, JsonNode message, String onBehalfOf) {
        var id =
                sql.value(
                        "SELECT lakemill.agent_tell_as(?, ?, ?, ?::jsonb, ?)",
                        actor,
                        run,
                        key,
                        message,
                        onBehalfOf);
        return Long.parseLong(String.valueOf(id));
    }

    /** Ends a run for good. False when it had ended. */
    public boolean cancel(String actor, UUID run, String reason) {
        return "t"
                .equals(sql.value("SELECT lakemill.agent_cancel_as(?, ?, ?)", actor, run, reason));
    }

    public void pauseRun(String actor, UUID run, boolean pause) {
        sql.value("SELECT lakemill.agent_pause_run_as(?, ?, ?)", actor, run, pause);
    }

    public void pauseAgent(String actor, String agent, boolean pause) {
        sql.value("SELECT lakemill.agent_pause_as(?, ?, ?)", actor, agent, pause);
    }

    /**
     * The kill switch. When this returns, nothing that an agent was writing is still to come, and
     * no agent writes before the switch is turned back.
     */
    public void stopAll(String actor, boolean stop) {
        sql.value("SELECT lakemill.agent_stop_all_as(?, ?)", actor, stop);
    }

    /**
     * Throws FAILED_PRECONDITION when something of the agent is open, or PERMISSION_DENIED.
     *
     * @param cancelOpen whether open runs are no hindrance
     */
    public void requireDeletable(String actor, String agent, boolean cancelOpen) {
        sql.value("SELECT lakemill.agent_require_deletable(?, ?, ?)", actor, agent, cancelOpen);
    }

    /**
     * Deletes an agent whose triggers are gone, with all that is kept of its runs; fails as {@link
     * #requireDeletable}. Returns how many runs went.
     */
    public long delete(String actor, String agent, boolean cancelOpen) {
        var gone = sql.value("SELECT lakemill.agent_delete_as(?, ?, ?)", actor, agent, cancelOpen);
        return gone == null ? 0 : Long.parseLong(gone);
    }

    /** Of all agents. */
    public AgentFigures figures() {
        return AgentFigures.of(sql.json(AgentFigures.SQL));
    }

    /** Whether the kill switch is on, who turned it and when. */
    public JsonNode killSwitch() {
        return sql.json("SELECT to_jsonb(s) - 'only_row' FROM lakemill.agent_switch s");
    }

    /** Forgets runs that ended before, up to {@value #RUNS_MAX} at a time; returns how many. */
    public int purge(Instant before) {
        var gone = sql.value("SELECT lakemill.agent_purge(?, ?)", Timestamp.from(before), RUNS_MAX);
        return gone == null ? 0 : Integer.parseInt(gone);
    }

    /** Ends approvals whose time is over; returns how many. */
    public int expire() {
        var ended = sql.value("SELECT lakemill.agent_expire()");
        return ended == null ? 0 : Integer.parseInt(ended);
    }
}
