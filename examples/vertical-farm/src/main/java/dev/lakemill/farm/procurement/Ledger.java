package dev.lakemill.farm.procurement;

import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.Date;
import java.sql.SQLException;
import java.time.LocalDate;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;

/**
 * The budget's books, in the transaction of the caller. What is reserved moves from the budget to
 * commitments, and what is owed from there to payables; what nobody had reserved, from the budget
 * to payables.
 */
final class Ledger {
    private final Connection connection;

    Ledger(Connection connection) {
        this.connection = connection;
    }

    /** Where money is. */
    enum Account {
        BUDGET,
        COMMITMENTS,
        PAYABLES;

        private String sqlName() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * Reserves, or gives back, what the budget has for this month.
     *
     * @param key of the posting, once
     * @param amount negative to give back; not 0
     * @return why not; empty when it is done
     */
    Optional<String> commit(String key, LocalDate month, BigDecimal amount, String memo)
            throws SQLException {
        return take(key, month, amount, Account.COMMITMENTS, memo);
    }

    /**
     * Owes, or takes back, what nobody had reserved; nothing when the key was posted before.
     *
     * @param amount negative to take back; not 0
     * @return why not; empty when it is done
     */
    Optional<String> pay(String key, LocalDate month, BigDecimal amount, String memo)
            throws SQLException {
        return has(key) ? Optional.empty() : take(key, month, amount, Account.PAYABLES, memo);
    }

    private Optional<String> take(
            String key, LocalDate month, BigDecimal amount, Account to, String memo)
            throws SQLException {
        var sql =
                """
                UPDATE procurement.budget SET committed = committed + ?
                WHERE month = ? AND committed + ? BETWEEN 0 AND amount""";
        try (var update = connection.prepareStatement(sql)) {
            update.setBigDecimal(1, amount);
            update.setDate(2, Date.valueOf(month));
            update.setBigDecimal(3, amount);
            if (update.executeUpdate() == 0) {
                return Optional.of(left(month));
            }
        }
        if (amount.signum() > 0) {
            post(key, month, amount, to, Account.BUDGET, memo);
        } else {
            post(key, month, amount.negate(), Account.BUDGET, to, memo);
        }
        return Optional.empty();
    }

    private boolean has(String key) throws SQLException {
        var sql = "SELECT 1 FROM procurement.ledger_posting WHERE key = ?";
        try (var select = connection.prepareStatement(sql)) {
            select.setString(1, key);
            try (var rows = select.executeQuery()) {
                return rows.next();
            }
        }
    }

    private String left(LocalDate month) throws SQLException {
        var sql = "SELECT amount - committed FROM procurement.budget WHERE month = ?";
        try (var select = connection.prepareStatement(sql)) {
            select.setDate(1, Date.valueOf(month));
            try (var rows = select.executeQuery()) {
                return rows.next()
                        ? "%s is left of the budget of %s"
                                .formatted(rows.getBigDecimal(1).toPlainString(), month)
                        : "there is no budget for " + month;
            }
        }
    }

    /** One debit and one credit of the same amount, by a key that is new. */
    void post(
            String key,
            LocalDate month,
            BigDecimal amount,
            Account debit,
            Account credit,
            String memo)
            throws SQLException {
        if (!postOnce(key, month, amount, debit, credit, memo)) {
            throw new IllegalStateException("posted before: " + key);
        }
    }

    /**
     * The same; nothing when the key was posted before.
     *
     * @return whether it is posted now
     */
    boolean postOnce(
            String key,
            LocalDate month,
            BigDecimal amount,
            Account debit,
            Account credit,
            String memo)
            throws SQLException {
        var id = UUID.randomUUID();
        var posting =
                "INSERT INTO procurement.ledger_posting (id, key, month, amount, memo)"
                        + " VALUES (?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING";
        try (var insert = connection.prepareStatement(posting)) {
            insert.setObject(1, id);
            insert.setString(2, key);
            insert.setDate(3, Date.valueOf(month));
            insert.setBigDecimal(4, amount);
            insert.setString(5, memo);
            if (insert.executeUpdate() == 0) {
                return false;
            }
        }
        var entry =
                "INSERT INTO procurement.ledger_entry (posting_id, side, account, amount)"
                        + " VALUES (?, 'debit', ?, ?), (?, 'credit', ?, ?)";
        try (var insert = connection.prepareStatement(entry)) {
            insert.setObject(1, id);
            insert.setString(2, debit.sqlName());
            insert.setBigDecimal(3, amount);
            insert.setObject(4, id);
            insert.setString(5, credit.sqlName());
            insert.setBigDecimal(6, amount);
            insert.executeUpdate();
        }
        return true;
    }
}
