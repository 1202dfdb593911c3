package dev.lakemill.bench;

import java.sql.SQLException;
import java.util.HashSet;
import java.util.Map;

/**
 * Holds what the buyer left against what should be: for every order one run, one draft, what was
 * decided, and one entry in the ledger and one e-mail exactly where it was accepted; for every call
 * of the provider a row of use, which counts no less than was used.
 */
final class AgentsCheck {
    /** Runs that have not ended. */
    static final String OPEN =
            """
            SELECT count(*) FROM lakemill.agent_runs
            WHERE status IN ('queued', 'running', 'waiting')
            """;

    private static final String ONE_RUN =
            """
            SELECT count(*) FROM (SELECT input -> 'key' ->> 'id' FROM lakemill.agent_runs
                GROUP BY 1 HAVING count(*) = 1) r
            """;
    private static final String FAILED =
            "SELECT count(*) FROM lakemill.agent_runs WHERE status = 'failed'";

    /** Ended runs whose tables do not say what their approvals say. */
    private static final String WRONG =
            """
            SELECT count(*) FROM lakemill.agent_runs r
            LEFT JOIN lakemill.agent_approvals c ON c.run_id = r.run_id AND c.action = 'commit'
            LEFT JOIN lakemill.agent_approvals m ON m.run_id = r.run_id AND m.action = 'send_email'
            LEFT JOIN lakemill.agent_outbox o ON o.run_id = r.run_id
            WHERE r.status = 'succeeded' AND NOT (
                EXISTS (SELECT FROM farm.drafts d WHERE d.id = r.input -> 'key' ->> 'id')
                AND EXISTS (SELECT FROM farm.ledger l WHERE l.id = r.input -> 'key' ->> 'id')
                    = (c.decision = 'accept')
                AND (c.decision <> 'accept'
                    OR o.state = CASE m.decision WHEN 'accept' THEN 'approved' ELSE 'dead' END))
            """;

    private static final String GAPS =
            """
            SELECT count(*) FROM (SELECT r.steps_used, count(s.seq) AS steps, max(s.seq) AS last
                FROM lakemill.agent_runs r LEFT JOIN lakemill.agent_steps s USING (run_id)
                GROUP BY r.run_id) x WHERE steps_used <> steps OR steps_used <> coalesce(last, 0)
            """;
    private static final String OLDER =
            """
            SELECT count(*) FROM lakemill.agent_steps a JOIN lakemill.agent_steps b
            ON b.run_id = a.run_id AND b.seq = a.seq + 1 AND b.fence < a.fence
            """;

    /** Decisions that stand, and that their run has seen. */
    private static final String SEEN =
            """
            SELECT p.approval_id || ' ' || p.decision FROM lakemill.agent_approvals p
            JOIN lakemill.agent_steps s ON s.run_id = p.run_id AND s.seq = p.seq
                AND s.output ->> 'decision' = p.decision
                AND s.output ->> 'approval_id' = p.approval_id::text
            """;

    /** Rows of calls that may have asked the provider: those that a kill cut off among them. */
    private static final String MAY_HAVE_ASKED =
            """
            SELECT count(*) FROM lakemill.model_usage
            WHERE attempts = 1 OR status_code IS NULL OR attempts IS NULL
            """;

    /** Rows of calls that have: an answer, good or bad, came. */
    private static final String HAVE_ASKED =
            "SELECT count(*) FROM lakemill.model_usage WHERE status_code IN (200, 502)";

    private static final String CUT_OFF =
            """
            SELECT count(*) FROM lakemill.model_usage
            WHERE status_code IS NULL OR (status_code = 500 AND attempts IS NULL)
            """;

    /** Tokens of recorded answers beyond those of calls that were answered or cut off. */
    private static final String UNACCOUNTED =
            """
            SELECT greatest(0, s.answers - u.calls) + greatest(0, s.tokens - u.tokens)
            FROM (SELECT count(*) AS answers, coalesce(sum(tokens_in + tokens_out), 0) AS tokens
                FROM lakemill.agent_steps WHERE kind = 'llm') s,
                (SELECT count(*) AS calls, coalesce(sum(input_tokens + output_tokens), 0) AS tokens
                FROM lakemill.model_usage
                WHERE status_code = 200 OR status_code IS NULL OR attempts IS NULL) u
            """;

    /** What the limit has counted and the rows of use have not, or the other way round. */
    private static final String LIMIT_DIFFERS =
            """
            SELECT abs((SELECT coalesce(sum(tokens), 0) FROM lakemill.model_spend WHERE endpoint = 'scripted')
                - (SELECT sum(input_tokens + output_tokens) FROM lakemill.model_usage
                WHERE endpoint = 'scripted'))
            """;

    private final AgentsFixture fixture;
    private final Report.Builder report;

    AgentsCheck(AgentsFixture fixture, Report.Builder report) {
        this.fixture = fixture;
        this.report = report;
    }

    void effects(long ordered, Map<String, Boolean> decided) throws SQLException {
        var duplicates =
                fixture.number("SELECT count(*) - count(DISTINCT id) FROM farm.drafts")
                        + fixture.number("SELECT count(*) - count(DISTINCT id) FROM farm.ledger")
                        + fixture.number(
                                "SELECT count(*) - count(DISTINCT body) FROM lakemill.agent_outbox");
        var lost = lostApprovals(decided);
        var stuck = fixture.number(OPEN);
        report.figure("duplicate_effects", duplicates);
        report.figure("lost_approvals", lost);
        report.figure("stuck_runs", stuck);
        report.figure("runs", fixture.number("SELECT count(*) FROM lakemill.agent_runs"));
        report.figure("steps", fixture.number("SELECT count(*) FROM lakemill.agent_steps"));
        report.figure("decisions", decided.size());
        report.check("one_run_for_each_order", ordered == fixture.number(ONE_RUN));
        report.check("no_run_failed", fixture.number(FAILED) == 0);
        report.check("no_effect_twice", duplicates == 0);
        report.check("no_effect_missing_or_unapproved", fixture.number(WRONG) == 0);
        report.check("no_approval_lost", lost == 0);
        report.check("no_run_stuck", stuck == 0);
        report.check("steps_without_gap", fixture.number(GAPS) == 0);
        report.check("no_step_under_an_older_claim", fixture.number(OLDER) == 0);
    }

    /** Decisions that people were told stand, and that do not, or that their run has not seen. */
    private long lostApprovals(Map<String, Boolean> decided) throws SQLException {
        var stand = new HashSet<>(fixture.texts(SEEN));
        return decided.entrySet().stream()
                .map(e -> e.getKey() + " " + (e.getValue() ? "accept" : "ignore"))
                .filter(decision -> !stand.contains(decision))
                .count();
    }

    /**
     * @param asked how often the provider was asked, by its own count
     */
    void modelCalls(long asked) throws SQLException {
        report.figure("model_calls", asked);
        report.figure("model_calls_cut_off", fixture.number(CUT_OFF));
        report.check(
                "model_calls_accounted",
                asked > 0
                        && fixture.number(HAVE_ASKED) <= asked
                        && asked <= fixture.number(MAY_HAVE_ASKED));
        report.check("no_answer_unaccounted", fixture.number(UNACCOUNTED) == 0);
        report.check("limits_count_what_was_used", fixture.number(LIMIT_DIFFERS) == 0);
    }
}
