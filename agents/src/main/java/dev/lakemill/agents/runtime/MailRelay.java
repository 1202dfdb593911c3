package dev.lakemill.agents.runtime;

import static java.time.ZoneOffset.UTC;
import static java.time.format.DateTimeFormatter.RFC_1123_DATE_TIME;

import com.fasterxml.jackson.databind.JsonNode;
import jakarta.mail.Authenticator;
import jakarta.mail.Message;
import jakarta.mail.MessagingException;
import jakarta.mail.PasswordAuthentication;
import jakarta.mail.SendFailedException;
import jakarta.mail.Session;
import jakarta.mail.Transport;
import jakarta.mail.internet.InternetAddress;
import jakarta.mail.internet.MimeMessage;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.HexFormat;
import java.util.Properties;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends what stands in {@code lakemill.agent_outbox} as approved, by SMTP.
 *
 * <p>An e-mail stands there once. It is sent at least once: when the process dies between the
 * server's yes and its own note of that, it is sent again with the same Message-ID, by which
 * mailboxes know a repetition. After {@value #ATTEMPTS_MAX} attempts, or a refusal for good, it is
 * dead, with the reason.
 */
public final class MailRelay {
    /** How often one is tried. */
    public static final int ATTEMPTS_MAX = 8;

    private static final Logger log = LoggerFactory.getLogger(MailRelay.class);
    private static final int MAILS_MAX = 20;
    private static final long TIMEOUT_MILLIS = 20_000;
    private static final String CLAIM =
            """
            WITH due AS (
                SELECT o.id FROM lakemill.agent_outbox o
                WHERE o.state = 'approved' AND o.next_at <= clock_timestamp()
                    AND NOT (SELECT s.stopped FROM lakemill.agent_switch s)
                ORDER BY o.next_at, o.id LIMIT %d FOR UPDATE SKIP LOCKED
            ), taken AS (
                UPDATE lakemill.agent_outbox o SET attempts = o.attempts + 1,
                    next_at = clock_timestamp() + ?::interval * 2 ^ o.attempts
                FROM due WHERE o.id = due.id RETURNING o.*
            )
            SELECT coalesce(jsonb_agg(to_jsonb(taken) ORDER BY id), '[]') FROM taken
            """
                    .formatted(MAILS_MAX);
    private static final String SENT =
            """
            WITH sent AS (
                UPDATE lakemill.agent_outbox o SET state = 'sent', message_id = ?, error = '',
                    sent_at = clock_timestamp()
                WHERE o.id = ? AND o.state = 'approved' RETURNING o.*
            )
            SELECT lakemill.agent_audit('sendEmail', a.principal, r.on_behalf_of,
                jsonb_build_object('run_id', s.run_id, 'agent', s.agent,
                    'recipient', s.recipient, 'message_id', s.message_id), 200, '')
            FROM sent s JOIN lakemill.agents a ON a.name = s.agent
            JOIN lakemill.agent_runs r ON r.run_id = s.run_id
            """;
    private static final String FAILED =
            """
            UPDATE lakemill.agent_outbox o SET error = left(?, 1000),
                state = CASE WHEN ? OR o.attempts >= ? THEN 'dead' ELSE o.state END
            WHERE o.id = ? AND o.state = 'approved'
            """;

    /**
     * Where it goes through.
     *
     * @param server {@code smtp://host:port} (with STARTTLS where the server has it) or {@code
     *     smtps://host:port}
     * @param user empty for a server that asks for none
     * @param from the sender's address
     * @param pause before the second attempt; it doubles with each
     */
    public record Settings(URI server, String user, String password, String from, Duration pause) {}

    private final AgentSql sql;
    private final Settings settings;
    private final Session session;

    public MailRelay(DataSource database, Settings settings) {
        this.sql = new AgentSql(database);
        this.settings = settings;
        this.session = session(settings);
    }

    private static Session session(Settings settings) {
        var isTls = "smtps".equals(settings.server().getScheme());
        var port = settings.server().getPort();
        var properties = new Properties();
        properties.setProperty("mail.transport.protocol", "smtp");
        properties.setProperty("mail.smtp.host", settings.server().getHost());
        properties.setProperty(
                "mail.smtp.port", String.valueOf(port > 0 ? port : isTls ? 465 : 25));
        properties.setProperty("mail.smtp.ssl.enable", String.valueOf(isTls));
        properties.setProperty("mail.smtp.ssl.checkserveridentity", "true");
        properties.setProperty("mail.smtp.starttls.enable", String.valueOf(!isTls));
        properties.setProperty("mail.smtp.auth", String.valueOf(!settings.user().isEmpty()));
        for (var limit : new String[] {"connectiontimeout", "timeout", "writetimeout"}) {
            properties.setProperty("mail.smtp." + limit, String.valueOf(TIMEOUT_MILLIS));
        }
        return Session.getInstance(
                properties,
                new Authenticator() {
                    @Override
                    protected PasswordAuthentication getPasswordAuthentication() {
                        return new PasswordAuthentication(settings.user(), settings.password());
                    }
                });
    }

    /** Sends what is due; returns how many were tried. */
    public int relay() {
        var due = sql.json(CLAIM, settings.pause().toMillis() + " ms");
        for (var mail : due) {
            send(mail);
        }
        return due.size();
    }

    private void send(JsonNode mail) {
        var id = mail.path("id").asLong();
        try {
            var message = message(mail);
            Transport.send(message);
            sql.value(SENT, message.getMessageID(), id);
        } catch (MessagingException e) {
            log.warn("e-mail {} is not sent: {}", id, e.getMessage());
            sql.update(FAILED, e.toString(), isRefused(e), ATTEMPTS_MAX, id);
        }
    }

    /** The other side's no is for good when it is about the address. */
    private static boolean isRefused(MessagingException e) {
        return e instanceof SendFailedException failed
                && failed.getInvalidAddresses() != null
                && failed.getInvalidAddresses().length > 0;
    }

    private MimeMessage message(JsonNode mail) throws MessagingException {
        var id = messageId(mail);
        var message = new IdentifiedMessage(session, id);
        message.setFrom(new InternetAddress(settings.from(), true));
        message.setRecipient(
                Message.RecipientType.TO,
                new InternetAddress(mail.path("recipient").asText(), true));
        message.setSubject(mail.path("subject").asText(), "UTF-8");
        message.setText(mail.path("body").asText(), "UTF-8");
        var written = OffsetDateTime.parse(mail.path("created_at").asText());
        message.setHeader("Date", RFC_1123_DATE_TIME.format(written.withOffsetSameInstant(UTC)));
        message.setHeader("Auto-Submitted", "auto-generated");
        message.saveChanges();
        return message;
    }

    /** The same for each attempt: from what is sent once. */
    private String messageId(JsonNode mail) {
        var what = mail.path("agent").asText() + "\n" + mail.path("dedup_key").asText();
        var domain = settings.from().replaceAll(".*@", "");
        return "<%s@%s>".formatted(hash(what), domain);
    }

    private static String hash(String text) {
        try {
            var digest = MessageDigest.getInstance("SHA-256");
            return HexFormat.of()
                    .formatHex(digest.digest(text.getBytes(StandardCharsets.UTF_8)), 0, 20);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Jakarta Mail gives each message a new id, were it not for this. */
    private static final class IdentifiedMessage extends MimeMessage {
        private final String id;

        IdentifiedMessage(Session session, String id) {
            super(session);
            this.id = id;
        }

        @Override
        protected void updateMessageID() throws MessagingException {
            setHeader("Message-ID", id);
        }
    }
}
