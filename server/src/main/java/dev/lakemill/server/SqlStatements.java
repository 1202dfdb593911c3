package dev.lakemill.server;

import dev.lakemill.catalog.AuditEvent;
import dev.lakemill.catalog.AuditLog;
import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.GovernanceParser;
import dev.lakemill.catalog.NameDefaults;
import dev.lakemill.pipeline.LakeQuery;
import dev.lakemill.plan.SourceText;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Statements being run and their answers, which are kept for a while. Each runs on a thread of its
 * own, and each is audited when it ends, however it ends. Safe to use from any thread.
 */
final class SqlStatements implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(SqlStatements.class);
    private static final int RUNNING_MAX = 32;
    private static final int KEPT_MAX = 64;
    private static final long KEPT_CHARACTERS_MAX = 32L << 20;
    private static final int TEXT_CHARACTERS_MAX = 1 << 20;
    private static final int AUDITED_CHARACTERS_MAX = 4_096;

    /** As Databricks names them. */
    enum State {
        RUNNING,
        SUCCEEDED,
        FAILED,
        CANCELED
    }

    /** One statement. */
    static final class Execution {
        private final String id = UUID.randomUUID().toString();
        private final Caller caller;
        private final CountDownLatch ended = new CountDownLatch(1);
        private volatile State state = State.RUNNING;
        private volatile boolean cancelled;
        private volatile @Nullable LakeQuery query;
        private volatile @Nullable SqlAnswer answer;
        private volatile @Nullable LakemillException failure;

        private Execution(Caller caller) {
            this.caller = caller;
        }

        String id() {
            return id;
        }

        State state() {
            return state;
        }

        /** Of a statement that succeeded. */
        @Nullable SqlAnswer answer() {
            return answer;
        }

        /** Of a statement that failed. */
        @Nullable LakemillException failure() {
            return failure;
        }

        /** Whether it ended within the time. */
        boolean await(Duration time) {
            try {
                return ended.await(time.toMillis(), TimeUnit.MILLISECONDS);
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
                return false;
            }
        }

        void cancel() {
            cancelled = true;
            var running = query;
            if (running != null) {
                running.cancel();
            }
        }

        private void started(LakeQuery running) {
            query = running;
            if (cancelled) {
                running.cancel();
            }
        }

        private long characters() {
            var given = answer;
            return given == null ? 0 : given.characters();
        }

        private void end(State reached) {
            state = reached;
            query = null;
            ended.countDown();
        }
    }

    private final GovernanceStatements governance;
    private final SyncedTableStatements synced;
    private final ViewStatements views;
    private final LakeQueries queries;
    private final AuditLog audit;
    private final Routes.Changes changes;
    private final Map<String, Execution> executions = new HashMap<>();
    private final Deque<Execution> kept = new ArrayDeque<>();
    private long keptCharacters;

    SqlStatements(
            GovernanceStatements governance,
            SyncedTableStatements synced,
            ViewStatements views,
            LakeQueries queries,
            AuditLog audit,
            Routes.Changes changes) {
        this.governance = governance;
        this.synced = synced;
        this.views = views;
        this.queries = queries;
        this.audit = audit;
        this.changes = changes;
    }

    /** Begins to run a statement; RESOURCE_EXHAUSTED when too many run. */
    Execution start(Caller caller, SourceText text, NameDefaults defaults) {
        if (text.text().length() > TEXT_CHARACTERS_MAX) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "the statement has more than %d characters".formatted(TEXT_CHARACTERS_MAX),
                    "send a shorter one");
        }
        var execution = new Execution(caller);
        add(execution);
        var asked = new LakeQueries.Asked(caller, text, defaults);
        Thread.ofVirtual().name("sql-" + execution.id).start(() -> run(execution, asked));
        return execution;
    }

    /** A statement of the same principal; NOT_FOUND for all others. */
    Execution require(Caller caller, String id) {
        synchronized (executions) {
            var execution = executions.get(id);
            if (execution != null
                    && execution.caller.principal().id().equals(caller.principal().id())) {
                return execution;
            }
        }
        throw new LakemillException(
                ErrorCode.NOT_FOUND,
                "there is no statement '%s' of yours".formatted(id),
                "answers are kept of the last %d statements at most".formatted(KEPT_MAX));
    }

    @Override
    public void close() {
        synchronized (executions) {
            executions.values().forEach(Execution::cancel);
        }
    }

    private void add(Execution execution) {
        synchronized (executions) {
            if (executions.size() - kept.size() >= RUNNING_MAX) {
                throw new LakemillException(
                        ErrorCode.RESOURCE_EXHAUSTED,
                        "%d statements run already".formatted(RUNNING_MAX),
                        "send it again when one has ended");
            }
            executions.put(execution.id, execution);
        }
    }

    private void run(Execution execution, LakeQueries.Asked asked) {
        try {
            execution.answer = changes.run(() -> answer(execution, asked));
            audit(execution, asked, 200, "");
            finish(execution, State.SUCCEEDED);
        } catch (LakemillException e) {
            fail(execution, asked, e);
        } catch (Exception | Error e) {
            log.error("statement {} failed", execution.id, e);
            var defect = new LakemillException(ErrorCode.INTERNAL, "a defect", "see the log", e);
            fail(execution, asked, defect);
        }
    }

    private SqlAnswer answer(Execution execution, LakeQueries.Asked asked) {
        var ofSynced = SyncedTableParser.parse(asked.text(), asked.defaults());
        if (ofSynced.isPresent()) {
            requireWhole(asked);
            return synced.run(asked.caller(), ofSynced.get());
        }
        var ofView = ViewParser.parse(asked.text(), asked.defaults());
        if (ofView.isPresent()) {
            requireWhole(asked);
            return views.run(asked.caller(), ofView.get(), asked.defaults());
        }
        var statement = GovernanceParser.parse(asked.text(), asked.defaults());
        if (statement.isPresent()) {
            requireWhole(asked);
        }
        return statement.isPresent()
                ? governance.run(asked.caller(), statement.get())
                : queries.run(asked, execution::started);
    }

    private static void requireWhole(LakeQueries.Asked asked) {
        if (asked.caller().claim().isNarrow()) {
            throw new LakemillException(
                    ErrorCode.PERMISSION_DENIED,
                    "the token of `%s` is for %s, not for statements about the catalog"
                            .formatted(asked.caller().principal().name(), asked.caller().claim()),
                    "get a token without authorization_details");
        }
    }

    private void fail(Execution execution, LakeQueries.Asked asked, LakemillException e) {
        execution.answer = null;
        execution.failure = e;
        try {
            audit(execution, asked, Routes.status(e.code()), e.problem());
        } catch (LakemillException unwritten) {
            log.error("the end of statement {} is not audited", execution.id, unwritten);
        }
        finish(execution, execution.cancelled ? State.CANCELED : State.FAILED);
    }

    private void audit(Execution execution, LakeQueries.Asked asked, int status, String error) {
        var text = asked.text().text();
        var told = text.substring(0, Math.min(text.length(), AUDITED_CHARACTERS_MAX));
        audit.record(
                new AuditEvent(
                        asked.caller(),
                        "databrickssql",
                        "commandFinish",
                        Map.of("statement_id", execution.id, "command_text", told),
                        status,
                        error));
    }

    private void finish(Execution execution, State state) {
        synchronized (executions) {
            kept.add(execution);
            keptCharacters += execution.characters();
            while (kept.size() > 1
                    && (kept.size() > KEPT_MAX || keptCharacters > KEPT_CHARACTERS_MAX)) {
                var oldest = kept.remove();
                keptCharacters -= oldest.characters();
                executions.remove(oldest.id);
            }
        }
        execution.end(state);
    }
}
