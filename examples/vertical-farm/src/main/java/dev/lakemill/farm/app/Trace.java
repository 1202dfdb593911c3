package dev.lakemill.farm.app;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How a number or an action came to be, back to the events of the sources: read as the person who
 * asks, so that it tells nobody more than they may know.
 */
final class Trace {
    private static final List<String> COLUMNS =
            List.of("at", "who", "action", "detail", "kind", "id", "source");

    /** {@code at} is a time in UTC as text, so that what is equal stays in its order. */
    private static final Comparator<Map<String, String>> BY_TIME =
            Comparator.comparing(entry -> entry.getOrDefault("at", ""));

    private final Connection user;

    Trace(Connection user) {
        this.user = user;
    }

    /** NOT_FOUND when there is no such thing, INVALID_ARGUMENT when there is no such kind. */
    Map<String, Object> of(String kind, String id) throws SQLException {
        return switch (kind) {
            case "stock" -> told("Stock of " + id, TraceSql.STOCK, id);
            case "recommendation" -> told("Recommendation for " + id, TraceSql.RECOMMENDATION, id);
            case "quote" -> told("Quote " + id, TraceSql.QUOTE, id);
            case "rfq" -> told("Request " + id, TraceSql.REQUEST, id);
            case "order" -> story("Order " + id, TraceSql.RFQ_OF_ORDER, id, List.of());
            case "invoice" -> story("Invoice " + id, TraceSql.RFQ_OF_INVOICE, id, TraceSql.INVOICE);
            case "posting" -> story("Posting " + id, TraceSql.RFQ_OF_POSTING, id, TraceSql.POSTING);
            default ->
                    throw Body.invalid(
                            "'kind' is one of recommendation, stock, quote, rfq, order, invoice,"
                                    + " posting");
        };
    }

    /** The whole of the request behind it; of a thing without one, what there is of itself. */
    private Map<String, Object> story(String title, String rfqSql, String id, List<String> own)
            throws SQLException {
        try (var select = user.prepareStatement(rfqSql)) {
            select.setString(1, id);
            try (var rows = select.executeQuery()) {
                var rfq = rows.next() ? rows.getString(1) : null;
                return rfq == null ? told(title, own, id) : told(title, TraceSql.REQUEST, rfq);
            }
        }
    }

    private Map<String, Object> told(String title, List<String> queries, String id)
            throws SQLException {
        var entries = new ArrayList<Map<String, String>>();
        for (var query : queries) {
            try (var select = user.prepareStatement(query)) {
                select.setString(1, id);
                try (var rows = select.executeQuery()) {
                    while (rows.next()) {
                        entries.add(entry(rows));
                    }
                }
            }
        }
        if (entries.isEmpty()) {
            throw new LakemillException(
                    ErrorCode.NOT_FOUND, title + " is not known", "it may have gone: look again");
        }
        entries.sort(BY_TIME);
        var told = new LinkedHashMap<String, Object>();
        told.put("title", title);
        told.put("entries", entries);
        return told;
    }

    private static Map<String, String> entry(ResultSet rows) throws SQLException {
        var entry = new LinkedHashMap<String, String>();
        for (var column : COLUMNS) {
            var value =
                    column.equals("at") && rows.getTimestamp(column) != null
                            ? rows.getTimestamp(column).toInstant().toString()
                            : rows.getString(column);
            entry.put(column, value == null ? "" : value);
        }
        return entry;
    }
}
