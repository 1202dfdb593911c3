package dev.lakemill.farm.app;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What suppliers have quoted for a SKU: the mean of each quarter of the last 24 hours. */
final class Prices {
    private static final int ROWS_MAX = 2_000;
    private static final String OF_SKU =
            """
            SELECT bucket, supplier_id, round(prices / quotes, 4) AS price
            FROM serving.quoted_by_quarter_hour WHERE sku = ?
            ORDER BY bucket DESC, supplier_id LIMIT %d"""
                    .formatted(ROWS_MAX);

    private Prices() {}

    /** The newest first; none for a SKU that nobody quotes. */
    static Map<String, Object> of(Connection user, String sku) throws SQLException {
        List<Map<String, Object>> prices = new ArrayList<>();
        try (var select = user.prepareStatement(OF_SKU)) {
            select.setString(1, sku);
            try (var rows = select.executeQuery()) {
                while (rows.next()) {
                    var price = new LinkedHashMap<String, Object>();
                    price.put("bucket", rows.getTimestamp("bucket").getTime());
                    price.put("supplier_id", rows.getString("supplier_id"));
                    price.put("price", rows.getBigDecimal("price"));
                    prices.add(price);
                }
            }
        }
        return Map.of("prices", prices);
    }
}
