package dev.lakemill.server;

import dev.lakemill.catalog.Caller;
import dev.lakemill.identity.Identity;
import dev.lakemill.identity.TokenRequest;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * {@code cli-token} in the data folder: a short-lived token of the administrator's, by which
 * commands on this machine reach the node. Mode 0600: whoever can read it is the system user that
 * runs the node, and could read every file of it anyway.
 */
final class LocalToken implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(LocalToken.class);
    private static final String NAME = "cli-token";
    private static final Duration TTL = Duration.ofMinutes(15);
    private static final Duration RENEWED_AFTER = Duration.ofMinutes(5);

    private final Identity identity;
    private final Caller system;
    private final Path file;
    private final ScheduledExecutorService timer =
            Executors.newSingleThreadScheduledExecutor(
                    Thread.ofVirtual().name("cli-token").factory());

    /** Writes the first one before it returns. */
    LocalToken(Identity identity, Caller system, Path data) {
        this.identity = identity;
        this.system = system;
        this.file = file(data);
        renew();
        timer.scheduleWithFixedDelay(
                this::renewOrWarn,
                RENEWED_AFTER.toSeconds(),
                RENEWED_AFTER.toSeconds(),
                TimeUnit.SECONDS);
    }

    static Path file(Path data) {
        return data.resolve(NAME);
    }

    private void renew() {
        var admin = identity.administrator();
        if (admin.isEmpty()) {
            return;
        }
        var issued =
                identity.tokens().issue(system, TokenRequest.of(admin.get()).withTimeToLive(TTL));
        PrivateFile.write(file, issued.text().getBytes(StandardCharsets.US_ASCII));
    }

    private void renewOrWarn() {
        try {
            renew();
        } catch (LakemillException e) {
            log.warn("the token for local commands is not renewed: {}", e.getMessage());
        }
    }

    @Override
    public void close() throws IOException {
        timer.shutdownNow();
        Files.deleteIfExists(file);
    }
}
