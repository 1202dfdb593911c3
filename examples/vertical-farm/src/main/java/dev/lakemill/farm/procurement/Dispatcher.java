package dev.lakemill.farm.procurement;

import dev.lakemill.api.agent.Agent;
import dev.lakemill.api.agent.AgentRun;
import dev.lakemill.api.agent.Mail;
import dev.lakemill.api.agent.Recipient;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;

/** Has an e-mail sent whose cost is committed: people have seen it before. */
public final class Dispatcher implements Agent {
    private static final Duration WEEK = Duration.ofDays(7);

    @Override
    public Object run(AgentRun run) throws SQLException {
        var id = run.input().at("/key/id").asText();
        var rows =
                run.query(
                        "email",
                        """
                        SELECT rfq_id::text AS rfq_id, supplier_id, subject, body, drafted_by, model
                        FROM procurement.email_outbox WHERE id = ?::uuid AND state = 'committed'""",
                        id);
        if (rows.isEmpty()) {
            return Map.of("email", id, "state", "no longer committed");
        }
        var email = rows.getFirst();
        var rfq = email.text("rfq_id");
        run.mail(
                "send",
                new Mail(
                        "rfq-" + rfq,
                        Recipient.of(email, "supplier_id"),
                        "%s [%s]".formatted(email.text("subject"), rfq),
                        email.text("body"),
                        email.text("drafted_by"),
                        email.text("model"),
                        WEEK));
        run.write(
                "sent",
                "sent-" + id,
                connection -> {
                    Sql.write(
                            connection,
                            "UPDATE procurement.email_outbox SET state = 'sent', sent_at = now()"
                                    + " WHERE id = ?::uuid",
                            id);
                    // The supplier's answer may have come before, and be taken up already.
                    Sql.write(
                            connection,
                            "UPDATE procurement.rfq SET state = 'sent'"
                                    + " WHERE id = ?::uuid AND state = 'drafted'",
                            rfq);
                    return "sent";
                });
        return Map.of("email", id, "state", "sent");
    }
}
