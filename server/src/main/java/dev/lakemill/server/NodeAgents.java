package dev.lakemill.server;

import dev.lakemill.agents.runtime.AgentStore;
import dev.lakemill.agents.runtime.AgentTriggers;
import dev.lakemill.agents.runtime.AgentUpkeep;
import dev.lakemill.agents.runtime.MailRelay;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.server.agents.AgentRoutes;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import javax.sql.DataSource;

/**
 * A node's part in durable agents: their journal, and what happens to runs by itself. The agents
 * themselves run elsewhere.
 */
record NodeAgents(AgentStore store, AgentTriggers triggers, AgentUpkeep upkeep)
        implements AutoCloseable {
    private static final Duration MAIL_PAUSE = Duration.ofSeconds(10);

    static NodeAgents start(Config config, DataSource database) {
        var store = AgentStore.open(database);
        var triggers = new AgentTriggers(database, Clock.systemUTC());
        var relay = mail(config).map(settings -> new MailRelay(database, settings));
        var retention = Duration.ofDays(config.number(Setting.AGENTS_RETENTION_DAYS));
        return new NodeAgents(
                store, triggers, AgentUpkeep.start(store, triggers, relay, retention));
    }

    private static Optional<MailRelay.Settings> mail(Config config) {
        var url = config.text(Setting.AGENTS_SMTP_URL);
        if (url.isEmpty()) {
            return Optional.empty();
        }
        var from = config.text(Setting.AGENTS_MAIL_FROM);
        if (!url.matches("smtps?://[^/@:]+(:[0-9]+)?/?") || !from.matches("[^@\\s]+@[^@\\s]+")) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "%s is '%s' and %s '%s'"
                            .formatted(
                                    Setting.AGENTS_SMTP_URL.key(),
                                    url,
                                    Setting.AGENTS_MAIL_FROM.key(),
                                    from),
                    "write smtp://host:587 or smtps://host:465, and the sender's address");
        }
        return Optional.of(
                new MailRelay.Settings(
                        URI.create(url),
                        config.text(Setting.AGENTS_SMTP_USER),
                        password(config),
                        from,
                        MAIL_PAUSE));
    }

    private static String password(Config config) {
        var file = config.path(Setting.AGENTS_SMTP_PASSWORD_FILE);
        if (file == null) {
            return "";
        }
        try {
            return Files.readString(file).strip();
        } catch (IOException e) {
            throw new LakemillException(
                    ErrorCode.FAILED_PRECONDITION,
                    "%s cannot be read: %s".formatted(Setting.AGENTS_SMTP_PASSWORD_FILE.key(), e),
                    "name a file with the password of the mail server",
                    e);
        }
    }

    void mount(Routes routes, Catalog catalog) {
        AgentRoutes.mount(routes, catalog, store, triggers);
    }

    @Override
    public void close() {
        upkeep.close();
    }
}
