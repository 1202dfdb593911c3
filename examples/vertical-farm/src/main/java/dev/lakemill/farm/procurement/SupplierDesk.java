package dev.lakemill.farm.procurement;

import com.icegreen.greenmail.util.GreenMail;
import com.icegreen.greenmail.util.ServerSetup;
import jakarta.mail.MessagingException;
import jakarta.mail.internet.MimeMessage;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;

/**
 * The suppliers, simulated. They have a mail server and answer what really comes to it; they
 * deliver what is ordered, and ask for money as {@link Billing} has it. Everything follows from
 * ids, so that whoever repeats it writes the same rows, and they are there once.
 */
final class SupplierDesk implements AutoCloseable {
    private static final Pattern RFQ = Pattern.compile("\\[([0-9a-f-]{36})]\\s*$");
    private static final Duration DELIVERY = Duration.ofSeconds(2);

    /** Of {@link #CHOICES}. */
    private static final int SILENT = 0;

    private static final int DECLINES = 1;
    private static final int COUNTERS_BELOW = 5;
    private static final int CHOICES = 20;
    private static final long LOOK_MILLIS = 200;
    private static final long MAIL_START_MILLIS_MAX = 60_000;

    private final ConnectionOpener connections;
    private final GreenMail mail;
    private final Set<String> answered = new HashSet<>();
    private final Thread thread;
    private final Map<String, Variance.Rule> truth = new ConcurrentHashMap<>();
    private volatile boolean closing;
    private long billed;

    /** Opens connections as the suppliers' principal. */
    interface ConnectionOpener {
        Connection open() throws SQLException;
    }

    private SupplierDesk(ConnectionOpener connections, int smtpPort) {
        this.connections = connections;
        var setup = new ServerSetup(smtpPort, "127.0.0.1", ServerSetup.PROTOCOL_SMTP);
        setup.setServerStartupTimeout(MAIL_START_MILLIS_MAX);
        this.mail = new GreenMail(setup);
        this.thread = Thread.ofVirtual().name("suppliers").unstarted(this::run);
    }

    /**
     * Starts the mail server and those who read there.
     *
     * @param smtpPort on loopback
     */
    static SupplierDesk start(ConnectionOpener connections, int smtpPort) {
        var desk = new SupplierDesk(connections, smtpPort);
        desk.mail.start();
        desk.thread.start();
        return desk;
    }

    private void run() {
        while (!closing) {
            try (var connection = connections.open()) {
                while (!closing) {
                    answer(connection);
                    fulfil(connection);
                    Thread.sleep(LOOK_MILLIS);
                }
            } catch (InterruptedException _) {
                return;
            } catch (SQLException | MessagingException e) {
                System.err.println("suppliers wait: " + e.getMessage());
                pause();
            }
        }
    }

    private static void pause() {
        try {
            Thread.sleep(LOOK_MILLIS);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private void answer(Connection connection) throws SQLException, MessagingException {
        for (var message : mail.getReceivedMessages()) {
            var rfq = rfq(message);
            if (rfq.isPresent() && !answered.contains(rfq.get())) {
                reply(connection, rfq.get(), supplier(message));
                answered.add(rfq.get());
            }
        }
    }

    private static Optional<String> rfq(MimeMessage message) throws MessagingException {
        var found = RFQ.matcher(Optional.ofNullable(message.getSubject()).orElse(""));
        return found.find() ? Optional.of(found.group(1)) : Optional.empty();
    }

    /** Of orders@supplier.example. */
    private static String supplier(MimeMessage message) throws MessagingException {
        var to = message.getAllRecipients()[0].toString();
        return to.replaceAll("^.*@|\\.example.*$", "");
    }

    private static void reply(Connection connection, String rfq, String supplier)
            throws SQLException {
        var random = new SplittableRandom(UUID.fromString(rfq).getMostSignificantBits());
        var choice = random.nextInt(CHOICES);
        if (choice == SILENT) {
            return;
        }
        var kind = choice == DECLINES ? "decline" : choice < COUNTERS_BELOW ? "counter" : "accept";
        Sql.write(
                connection,
                """
                INSERT INTO procurement.supplier_reply
                  (id, rfq_id, supplier_id, kind, price_per_kg, text)
                SELECT ?, r.id, r.supplier_id, ?,
                  CASE WHEN ? = 'counter' THEN round(r.quoted_price_per_kg * 1.04, 4) END, ?
                FROM procurement.rfq AS r WHERE r.id = ?::uuid AND r.supplier_id = ?
                ON CONFLICT (id) DO NOTHING""",
                "reply-" + rfq,
                kind,
                kind,
                switch (kind) {
                    case "accept" -> "We confirm.";
                    case "counter" -> "Prices have gone up: we can deliver at this one.";
                    default -> "We are sold out.";
                },
                rfq,
                supplier);
    }

    private void fulfil(Connection connection) throws SQLException {
        for (var due : due(connection).entrySet()) {
            var sent = Billing.fulfil(due.getValue(), due.getKey());
            connection.setAutoCommit(false);
            for (var receipt : sent.receipts()) {
                Sql.write(
                        connection,
                        "INSERT INTO procurement.goods_receipt (id, po_number, line, grams)"
                                + " VALUES (?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
                        receipt.id(),
                        receipt.orderNumber(),
                        receipt.line(),
                        receipt.grams());
            }
            connection.commit();
            for (var invoice : sent.invoices()) {
                bill(connection, invoice);
                connection.commit();
            }
            connection.setAutoCommit(true);
            truth.putAll(sent.truth());
            billed = due.getKey();
        }
    }

    private static void bill(Connection connection, Invoice invoice) throws SQLException {
        var isNew =
                Sql.write(
                        connection,
                        """
                        INSERT INTO procurement.invoice
                          (id, supplier_id, number, po_number, currency, net, tax, received_at)
                        VALUES (?, ?, ?, ?, ?, ?, ?, clock_timestamp())
                        ON CONFLICT (id) DO NOTHING""",
                        invoice.id(),
                        invoice.supplierId(),
                        invoice.number(),
                        invoice.orderNumber(),
                        invoice.currency(),
                        invoice.net(),
                        invoice.tax());
        if (isNew == 0) {
            return;
        }
        for (var line : invoice.lines()) {
            Sql.write(
                    connection,
                    "INSERT INTO procurement.invoice_line (invoice_id, line, sku, grams, price_per_kg)"
                            + " VALUES (?, ?, ?, ?, ?)",
                    invoice.id(),
                    line.line(),
                    line.sku(),
                    line.grams(),
                    line.pricePerKg());
        }
    }

    /** Orders to be delivered now, by serial. */
    private Map<Long, Order> due(Connection connection) throws SQLException {
        var sql =
                """
                SELECT o.serial, o.number, o.supplier_id, o.currency, o.tax_percent,
                  l.line, l.sku, l.grams, l.price_per_kg
                FROM procurement.purchase_order AS o
                JOIN procurement.po_line AS l ON l.po_number = o.number
                WHERE o.serial > ? AND o.ordered_at < now() - make_interval(secs => ?)
                ORDER BY o.serial, l.line LIMIT 100""";
        try (var select = connection.prepareStatement(sql)) {
            select.setLong(1, billed);
            select.setDouble(2, DELIVERY.toMillis() / 1e3);
            var orders = new LinkedHashMap<Long, Order>();
            try (var rows = select.executeQuery()) {
                while (rows.next()) {
                    var line =
                            new Order.Line(
                                    rows.getInt("line"),
                                    rows.getString("sku"),
                                    rows.getLong("grams"),
                                    rows.getBigDecimal("price_per_kg"),
                                    0);
                    orders.put(
                            rows.getLong("serial"),
                            new Order(
                                    rows.getString("number"),
                                    rows.getString("supplier_id"),
                                    rows.getString("currency"),
                                    rows.getBigDecimal("tax_percent"),
                                    List.of(line)));
                }
            }
            return orders;
        }
    }

    /** By invoice id, what is wrong with it; invoices that are right are not in it. */
    Map<String, Variance.Rule> truth() {
        return Map.copyOf(truth);
    }

    @Override
    public void close() {
        closing = true;
        thread.interrupt();
        mail.stop();
    }
}
