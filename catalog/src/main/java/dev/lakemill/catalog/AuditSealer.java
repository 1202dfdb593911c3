package dev.lakemill.catalog;

import dev.lakemill.types.LakemillException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Seals what is final, beside the writers, a few times a second; and once more at the end. */
public final class AuditSealer implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(AuditSealer.class);
    private static final Duration PAUSE = Duration.ofMillis(500);
    private static final Duration END_WAIT_MAX = Duration.ofSeconds(10);
    private static final int GROUP_RECORDS_MAX = 5_000;

    private final DataSource database;
    private final List<AuditChain> chains;
    private final CountDownLatch ending = new CountDownLatch(1);
    private final Thread sealer;

    private AuditSealer(DataSource database, List<AuditChain> chains) {
        this.database = database;
        this.chains = List.copyOf(chains);
        this.sealer = Thread.ofVirtual().name("audit-sealer").start(this::run);
    }

    /** Several sealers of one chain, in one process or more, take turns. */
    public static AuditSealer start(DataSource database, List<AuditChain> chains) {
        return new AuditSealer(database, chains);
    }

    @Override
    public void close() {
        ending.countDown();
        try {
            sealer.join(END_WAIT_MAX);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        try {
            while (!ending.await(PAUSE.toMillis(), TimeUnit.MILLISECONDS)) {
                chains.forEach(this::seal);
            }
            chains.forEach(this::seal);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private void seal(AuditChain chain) {
        try {
            while (chain.seal(database, GROUP_RECORDS_MAX) == GROUP_RECORDS_MAX) {
                log.debug("{}: {} records sealed", chain.name(), GROUP_RECORDS_MAX);
            }
        } catch (LakemillException e) {
            log.warn("the chain {} is not sealed now: {}", chain.name(), e.getMessage());
        }
    }
}
