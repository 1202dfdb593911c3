package dev.lakemill.pipeline;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * When things happen: the owner thread of a {@link PipelineRun}.
 *
 * <p>A batch starts when input waits, and at each tick if a view uses now(). A round starts at each
 * interval if there were batches, runs on a thread of its own, and is taken in by the owner thread.
 * A round that breaks off is tried again after a wait that doubles.
 */
final class PipelineLoop implements Runnable {
    private static final Logger LOG = LoggerFactory.getLogger(PipelineLoop.class);

    /**
     * Rounds that only cut the journal, since no table has changed, are so many intervals apart.
     */
    private static final int UNCHANGED_ROUND_INTERVALS = 10;

    private static final Duration HELD_WAIT = Duration.ofMillis(100);
    private static final Duration IDLE_WAIT = Duration.ofSeconds(1);

    private final Program program;
    private final PipelineConfig config;
    private final PipelineRun.Parts parts;
    private final ExecutorService rounds;
    private final Semaphore bell = new Semaphore(0);
    private final ConcurrentLinkedQueue<CompletableFuture<List<ViewAudit>>> audits =
            new ConcurrentLinkedQueue<>();
    private volatile boolean closing;
    private volatile PipelineStatus status =
            new PipelineStatus(
                    PipelineStatus.State.STARTING,
                    0,
                    Instant.EPOCH,
                    0,
                    null,
                    Map.of(),
                    Map.of(),
                    Map.of(),
                    0,
                    PipelineStatus.Batches.NONE,
                    Map.of(),
                    PipelineStatus.Audits.NONE,
                    "",
                    "",
                    "");

    /** The owner thread's alone, as are the fields below. */
    private @Nullable PipelineRun run;

    private @Nullable RunningRound round;
    private PipelineStatus.Batches batches = PipelineStatus.Batches.NONE;
    private PipelineStatus.State state = PipelineStatus.State.STARTING;

    private PipelineStatus.Audits audited = PipelineStatus.Audits.NONE;

    /** The place of the view that is next held against its query. */
    private int nextAudit;

    /** Why no batch runs. */
    private String held = "";

    /** Why the last round broke off. */
    private String trouble = "";

    private String error = "";
    private String hint = "";
    private long tickNanos = System.nanoTime();
    private long roundNanos = System.nanoTime();
    private long auditNanos = System.nanoTime();
    private Duration retryWait;

    /** A round under way. */
    private record RunningRound(CommitRound round, CompletableFuture<CommitRound.Result> result) {}

    /** Ends the loading of a pipeline that is closed meanwhile. */
    private static final class Closed extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    PipelineLoop(Program program, PipelineConfig config, PipelineRun.Parts parts) {
        this.program = program;
        this.config = config;
        this.parts = parts;
        this.retryWait = config.rounds().interval();
        this.rounds =
                Executors.newSingleThreadExecutor(
                        Thread.ofPlatform().name("pipeline-round-" + program.name()).factory());
    }

    /**
     * As it was shown last, but for the backlog: rows that came since would be missed by whoever
     * asks whether there are any.
     */
    PipelineStatus status() {
        var shown = status;
        return shown.state() == PipelineStatus.State.RUNNING
                ? shown.withBacklog(SourceRows.ahead(parts.sources(), shown.positions()))
                : shown;
    }

    /** Looks for input now. */
    void wake() {
        bell.release();
    }

    /** Asks the owner thread to end. */
    void close() {
        closing = true;
        wake();
    }

    /** Answered between two batches. */
    CompletableFuture<List<ViewAudit>> audit() {
        var answer = new CompletableFuture<List<ViewAudit>>();
        audits.add(answer);
        wake();
        if (status.state() == PipelineStatus.State.STOPPED) {
            answerAudits();
        }
        return answer;
    }

    @Override
    public void run() {
        try {
            guarded(this::start);
            while (!closing) {
                guarded(this::step);
            }
            guarded(this::lastRound);
        } catch (Closed _) {
            LOG.debug("pipeline {} was closed while it started", program.name());
        } finally {
            stop();
        }
    }

    private void start() {
        var started = new PipelineRun(program, config, parts);
        run = started;
        started.onAnswers(this::wake);
        started.load(this::awaitInput);
        state = PipelineStatus.State.RUNNING;
        show();
    }

    private void step() {
        answerAudits();
        var running = run;
        if (running == null) {
            await(IDLE_WAIT);
            return;
        }
        takeRound(running, false);
        beginRound(running);
        auditOne(running);
        var began = System.nanoTime();
        var advance = running.advance(isTickDue(running));
        switch (advance) {
            case PipelineRun.Advance.Ran(long _, long rows) -> {
                tickNanos = System.nanoTime();
                held = "";
                batches = batches.plus((tickNanos - began) / 1_000_000, rows);
                show();
            }
            case PipelineRun.Advance.Idle() -> {
                held = "";
                show();
                if (await(idleWait())) {
                    sleep(config.batches().coalesce());
                }
            }
            case PipelineRun.Advance.Held(String reason) -> {
                if (held.isEmpty()) {
                    LOG.warn("pipeline {} waits: {}", program.name(), reason);
                }
                held = reason;
                show();
                await(HELD_WAIT);
            }
            case PipelineRun.Advance.Failed(String reason, String mend) -> {
                failed(reason, mend);
                await(IDLE_WAIT);
            }
        }
    }

    /** Takes in a round that has ended; waits for one under way if asked to. */
    private void takeRound(PipelineRun running, boolean wait) {
        var under = round;
        if (under == null || !(wait || under.result().isDone())) {
            return;
        }
        var result = result(under);
        round = null;
        running.finishRound(under.round(), result);
        switch (result) {
            case CommitRound.Result.Complete _ -> {
                if (!trouble.isEmpty()) {
                    LOG.info("pipeline {} commits again", program.name());
                }
                trouble = "";
                retryWait = config.rounds().interval();
            }
            case CommitRound.Result.BrokenOff broken -> {
                if (trouble.isEmpty()) {
                    LOG.warn("pipeline {}: {}", program.name(), broken.reason().problem());
                }
                trouble = broken.reason().problem();
                var doubled = retryWait.multipliedBy(2);
                var longest = config.rounds().retryMax();
                retryWait = doubled.compareTo(longest) < 0 ? doubled : longest;
            }
        }
    }

    /** What an Error ended is taken in as well: some outputs may stand at the batch by then. */
    private CommitRound.Result result(RunningRound under) {
        try {
            return under.result().join();
        } catch (CompletionException e) {
            var cause = e.getCause() == null ? e : e.getCause();
            LOG.error("pipeline {} met a defect", program.name(), cause);
            return under.round().brokenOff(cause);
        }
    }

    private void beginRound(PipelineRun running) {
        if (round != null || !roundWait(running).isNegative()) {
            return;
        }
        roundNanos = System.nanoTime();
        var next = running.beginRound();
        if (next != null) {
            begin(next);
        }
    }

    private void begin(CommitRound next) {
        var result = CompletableFuture.supplyAsync(next::run, rounds);
        round = new RunningRound(next, result);
        result.whenComplete((_, _) -> wake());
    }

    private void lastRound() {
        var running = run;
        if (running == null || state == PipelineStatus.State.STARTING) {
            return;
        }
        takeRound(running, true);
        var last = running.beginRound();
        if (last != null) {
            begin(last);
            takeRound(running, true);
        }
    }

    private void stop() {
        state = PipelineStatus.State.STOPPED;
        show();
        answerAudits();
        rounds.close();
        var running = run;
        if (running != null) {
            running.close();
        }
    }

    /** Runs a part of the thread's life; what it throws stops the pipeline, not the thread. */
    private void guarded(Runnable part) {
        try {
            part.run();
        } catch (Closed e) {
            throw e;
        } catch (LakemillException e) {
            failed(e.problem(), e.hint());
        } catch (RuntimeException | Error e) {
            LOG.error("pipeline {} met a defect", program.name(), e);
            failed("a defect: " + e, "report this, with the log");
        }
    }

    private void failed(String reason, String mend) {
        if (state != PipelineStatus.State.FAILED) {
            LOG.error("pipeline {} failed: {}; hint: {}", program.name(), reason, mend);
            state = PipelineStatus.State.FAILED;
            error = reason;
            hint = mend;
            held = "";
        }
        var running = run;
        if (running != null) {
            running.fail(reason, mend);
        }
        show();
    }

    private boolean isTickDue(PipelineRun running) {
        return (program.usesNow() && left(tickNanos, config.batches().tick()).isNegative())
                || !untilTurn(running).isPositive();
    }

    private Duration untilTurn(PipelineRun running) {
        return running.nextTurn()
                .map(turn -> Duration.between(parts.clock().instant(), turn))
                .orElse(IDLE_WAIT);
    }

    private Duration idleWait() {
        var wait = IDLE_WAIT;
        if (program.usesNow()) {
            wait = shorter(wait, left(tickNanos, config.batches().tick()));
        }
        var running = run;
        return running == null
                ? wait
                : shorter(shorter(wait, untilTurn(running)), roundWait(running));
    }

    /** Until the next round may begin. */
    private Duration roundWait(PipelineRun running) {
        var interval = config.rounds().interval();
        var wait =
                !trouble.isEmpty()
                        ? retryWait
                        : running.isPending()
                                ? interval
                                : interval.multipliedBy(UNCHANGED_ROUND_INTERVALS);
        return left(roundNanos, wait);
    }

    private static Duration left(long sinceNanos, Duration wait) {
        return wait.minusNanos(System.nanoTime() - sinceNanos);
    }

    private static Duration shorter(Duration left, Duration right) {
        return left.compareTo(right) < 0 ? left : right;
    }

    private void awaitInput() {
        held = "what the last commit round had read is not there yet";
        show();
        await(HELD_WAIT);
        held = "";
        if (closing) {
            throw new Closed();
        }
    }

    /** True when somebody rang. */
    private boolean await(Duration wait) {
        try {
            var rung = bell.tryAcquire(Math.max(0, wait.toNanos()), TimeUnit.NANOSECONDS);
            bell.drainPermits();
            return rung;
        } catch (InterruptedException _) {
            closing = true;
            return false;
        }
    }

    private void sleep(Duration wait) {
        try {
            Thread.sleep(wait);
        } catch (InterruptedException _) {
            closing = true;
        }
    }

    /** When it is time, holds the next view in turn against its query. */
    private void auditOne(PipelineRun running) {
        var interval = config.views().auditInterval();
        var views = program.views();
        if (interval.isZero()
                || views.isEmpty()
                || state != PipelineStatus.State.RUNNING
                || left(auditNanos, interval).isPositive()) {
            return;
        }
        auditNanos = System.nanoTime();
        running.audit(views.get(nextAudit++ % views.size())).ifPresent(this::audited);
    }

    private void audited(ViewAudit audit) {
        audited = audited.plus(audit);
        if (!audit.equal()) {
            LOG.error("pipeline {}: a view is not its query: {}", program.name(), audit);
        }
        show();
    }

    private void answerAudits() {
        while (true) {
            var answer = audits.poll();
            if (answer == null) {
                return;
            }
            var running = run;
            if (running == null || state == PipelineStatus.State.STOPPED) {
                answer.completeExceptionally(
                        new LakemillException(
                                ErrorCode.FAILED_PRECONDITION,
                                "the pipeline %s does not run".formatted(program.name()),
                                "start it first"));
            } else {
                try {
                    answer.complete(running.audit());
                } catch (RuntimeException | Error e) {
                    answer.completeExceptionally(e);
                }
            }
        }
    }

    private void show() {
        var running = run;
        if (running == null) {
            status =
                    new PipelineStatus(
                            state,
                            0,
                            Instant.EPOCH,
                            0,
                            null,
                            Map.of(),
                            Map.of(),
                            Map.of(),
                            0,
                            batches,
                            Map.of(),
                            audited,
                            held,
                            error,
                            hint);
            return;
        }
        status =
                new PipelineStatus(
                        state,
                        running.last().number(),
                        running.last().now(),
                        running.committed(),
                        running.committedFreshnessMillis(),
                        running.counts(),
                        running.backlog(),
                        running.last().sources(),
                        running.pendingBytes(),
                        batches,
                        running.views(),
                        audited,
                        held.isEmpty() ? trouble : held + (trouble.isEmpty() ? "" : ": " + trouble),
                        error,
                        hint);
    }
}
