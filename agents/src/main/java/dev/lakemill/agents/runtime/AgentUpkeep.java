package dev.lakemill.agents.runtime;

import dev.lakemill.types.LakemillException;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What happens to runs without anybody asking: schedules come due, approvals expire, triggers are
 * put on tables made anew, e-mail is sent. Any number of nodes may do it at a time.
 */
public final class AgentUpkeep implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(AgentUpkeep.class);
    private static final Duration PAUSE = Duration.ofMillis(500);
    private static final int ATTACH_EVERY = 10;
    private static final int PURGE_EVERY = 7_200;
    private static final Duration END_WAIT_MAX = Duration.ofSeconds(30);

    private final AgentStore store;
    private final AgentTriggers triggers;
    private final Optional<MailRelay> mail;
    private final Duration retention;
    private final Set<String> failing = ConcurrentHashMap.newKeySet();
    private final CountDownLatch ending = new CountDownLatch(1);
    private final Thread timed;
    private final Thread relaying;

    private AgentUpkeep(
            AgentStore store,
            AgentTriggers triggers,
            Optional<MailRelay> mail,
            Duration retention) {
        this.store = store;
        this.triggers = triggers;
        this.mail = mail;
        this.retention = retention;
        this.timed = Thread.ofVirtual().name("agent-upkeep").unstarted(this::keepTime);
        this.relaying = Thread.ofVirtual().name("agent-mail").unstarted(this::relay);
    }

    /**
     * Begins.
     *
     * @param mail none where e-mail waits in the outbox
     * @param retention after which runs that have ended are forgotten; zero for never
     */
    public static AgentUpkeep start(
            AgentStore store,
            AgentTriggers triggers,
            Optional<MailRelay> mail,
            Duration retention) {
        var upkeep = new AgentUpkeep(store, triggers, mail, retention);
        upkeep.timed.start();
        upkeep.relaying.start();
        return upkeep;
    }

    private void keepTime() {
        try {
            for (var turn = 0; !ended(); turn++) {
                attempt("approvals do not expire", store::expire);
                attempt("schedules do not start runs", triggers::fire);
                if (turn % ATTACH_EVERY == 0) {
                    attempt("triggers are not put on tables", triggers::attach);
                }
                if (turn % PURGE_EVERY == 0 && !retention.isZero()) {
                    attempt("old runs are not forgotten", this::purge);
                }
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private void relay() {
        try {
            while (!ended()) {
                mail.ifPresent(m -> attempt("e-mail is not sent", m::relay));
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private boolean ended() throws InterruptedException {
        return ending.await(PAUSE.toMillis(), TimeUnit.MILLISECONDS);
    }

    private void purge() {
        var before = Instant.now().minus(retention);
        while (ending.getCount() > 0 && store.purge(before) == AgentStore.RUNS_MAX) {
            log.info("forgot {} runs that ended before {}", AgentStore.RUNS_MAX, before);
        }
    }

    /** Tried again in the next turn; told when it begins to fail. */
    private void attempt(String failure, Runnable work) {
        try {
            work.run();
            failing.remove(failure);
        } catch (LakemillException e) {
            if (failing.add(failure)) {
                log.warn("{}: {}", failure, e.getMessage());
            }
        } catch (RuntimeException e) {
            log.error(failure, e);
        }
    }

    @Override
    public void close() {
        ending.countDown();
        try {
            timed.join(END_WAIT_MAX);
            relaying.join(END_WAIT_MAX);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }
}
