package dev.lakemill.farm.app;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Map;

/**
 * Requests for quotation that people make. What is bought, of whom and how much the page says; what
 * it costs and by when it is needed, the serving tables.
 */
final class Requests {
    private static final long GRAMS_MAX = 10_000_000;

    private static final String QUOTE =
            """
            SELECT min_order_grams FROM serving.live_quotes
            WHERE sku = ? AND supplier_id = ? AND valid_until > now()""";

    private static final String MAKE =
            """
            INSERT INTO procurement.rfq (sku, supplier_id, grams, quoted_price_per_kg, currency,
              expected_cost, needed_by, reason, requested_by)
            SELECT q.sku, q.supplier_id, g.grams, q.price_per_kg, q.currency,
              round(q.price_per_kg * g.grams / 1000, 2),
              coalesce(r.deadline, now() + make_interval(hours => q.lead_time_hours::int)),
              coalesce(r.reason, 'asked for by hand'), session_user
            FROM (SELECT ?::bigint AS grams) AS g
            JOIN serving.live_quotes AS q
              ON q.sku = ? AND q.supplier_id = ? AND q.valid_until > now()
            LEFT JOIN serving.procurement_recommendations AS r
              ON r.sku = q.sku AND r.supplier_id = q.supplier_id
            RETURNING id""";

    private Requests() {}

    /**
     * Makes one, in the person's name.
     *
     * @throws LakemillException NOT_FOUND without a live quote, INVALID_ARGUMENT below its minimum
     * @throws SQLException of a unique key, when the SKU has an open request
     */
    static Map<String, String> make(Connection user, Body body) throws SQLException {
        var sku = body.text("sku", 100);
        var supplier = body.text("supplier_id", 100);
        var grams = body.number("grams", 1, GRAMS_MAX);
        requireMinimum(user, sku, supplier, grams);
        try (var insert = user.prepareStatement(MAKE)) {
            insert.setLong(1, grams);
            insert.setString(2, sku);
            insert.setString(3, supplier);
            try (var rows = insert.executeQuery()) {
                if (!rows.next()) {
                    throw noQuote(sku, supplier);
                }
                return Map.of("id", rows.getString(1));
            }
        } catch (SQLException e) {
            if ("23505".equals(e.getSQLState())) {
                throw new LakemillException(
                        ErrorCode.ALREADY_EXISTS,
                        "%s has an open request already".formatted(sku),
                        "decide that one first, under Negotiations",
                        e);
            }
            throw e;
        }
    }

    private static void requireMinimum(Connection user, String sku, String supplier, long grams)
            throws SQLException {
        try (var select = user.prepareStatement(QUOTE)) {
            select.setString(1, sku);
            select.setString(2, supplier);
            try (var rows = select.executeQuery()) {
                if (!rows.next()) {
                    throw noQuote(sku, supplier);
                }
                if (grams < rows.getLong(1)) {
                    throw Body.invalid(
                            "%s sells %s from %d g on".formatted(supplier, sku, rows.getLong(1)));
                }
            }
        }
    }

    private static LakemillException noQuote(String sku, String supplier) {
        return new LakemillException(
                ErrorCode.NOT_FOUND,
                "%s has no live quote for %s".formatted(supplier, sku),
                "choose a supplier of the leaderboard");
    }
}
