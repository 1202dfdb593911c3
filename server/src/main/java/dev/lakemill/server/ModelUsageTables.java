package dev.lakemill.server;

import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.Transactions;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * The calls of models as tables of {@code system.ai_gateway}: who used what, which metastore admins
 * see whole and others of themselves; and what was asked and answered, for admins. Read a page at a
 * time, oldest first.
 */
final class ModelUsageTables {
    private static final String LOCAL = "0";
    private static final int PAGE_ROWS = 1_000;
    private static final String USAGE =
            "account_id:STRING,workspace_id:STRING,request_id:STRING,event_time:TIMESTAMP,"
                    + "endpoint_name:STRING,api_type:STRING,requester:STRING,on_behalf_of:STRING,"
                    + "door:STRING,destination_name:STRING,destination_model:STRING,"
                    + "status_code:INT,error_message:STRING,input_tokens:BIGINT,"
                    + "output_tokens:BIGINT,total_tokens:BIGINT,is_estimated:BOOLEAN,"
                    + "cost_usd:DOUBLE,latency_ms:BIGINT,time_to_first_byte_ms:BIGINT,"
                    + "attempts:INT,is_streaming:BOOLEAN,is_template:BOOLEAN";
    private static final String PAYLOAD =
            "request_id:STRING,event_time:TIMESTAMP,endpoint_name:STRING,requester:STRING,"
                    + "status_code:INT,request:STRING,response:STRING";

    /** Makes the row of what stands in Postgres. */
    private interface Row {
        List<@Nullable Object> of(ResultSet stored) throws SQLException;
    }

    private record Kept(long id, List<@Nullable Object> row) {}

    private final Catalog catalog;
    private final DataSource database;

    private ModelUsageTables(Catalog catalog, DataSource database) {
        this.catalog = catalog;
        this.database = database;
    }

    static List<SystemTable> of(Catalog catalog, DataSource database) {
        var tables = new ModelUsageTables(catalog, database);
        return List.of(
                SystemTable.of(name("usage"), USAGE, tables::usage),
                SystemTable.of(name("payload"), PAYLOAD, tables::payload));
    }

    private static TableName name(String table) {
        return new TableName("system", "ai_gateway", table);
    }

    private Stream<List<@Nullable Object>> usage(Caller caller) {
        var isAdmin = new Visible(catalog, caller).isAdmin();
        var where = isAdmin ? "?::uuid IS NOT NULL" : "requester_id = ?";
        return rows("model_usage", where, caller.principal().id(), ModelUsageTables::used);
    }

    private Stream<List<@Nullable Object>> payload(Caller caller) {
        if (!new Visible(catalog, caller).isAdmin()) {
            throw new LakemillException(
                    ErrorCode.PERMISSION_DENIED,
                    "%s may not read system.ai_gateway.payload"
                            .formatted(caller.principal().name()),
                    "members of the group admins may");
        }
        return rows(
                "model_payload",
                "?::uuid IS NOT NULL",
                caller.principal().id(),
                ModelUsageTables::said);
    }

    private Stream<List<@Nullable Object>> rows(String table, String where, UUID id, Row row) {
        var sql =
                "SELECT * FROM lakemill.%s WHERE %s AND id > ? ORDER BY id LIMIT %d"
                        .formatted(table, where, PAGE_ROWS);
        return Stream.iterate(
                        page(sql, id, 0, row),
                        page -> !page.isEmpty(),
                        page -> page(sql, id, page.getLast().id(), row))
                .flatMap(List::stream)
                .map(Kept::row);
    }

    private List<Kept> page(String sql, UUID id, long after, Row row) {
        return Transactions.run(
                database,
                connection -> {
                    var page = new ArrayList<Kept>();
                    try (var query = connection.prepareStatement(sql)) {
                        query.setObject(1, id);
                        query.setLong(2, after);
                        try (var stored = query.executeQuery()) {
                            while (stored.next()) {
                                page.add(new Kept(stored.getLong("id"), row.of(stored)));
                            }
                        }
                    }
                    return page;
                });
    }

    private static List<@Nullable Object> used(ResultSet stored) throws SQLException {
        var input = stored.getLong("input_tokens");
        var output = stored.getLong("output_tokens");
        return Arrays.<@Nullable Object>asList(
                LOCAL,
                LOCAL,
                stored.getString("request_id"),
                stored.getTimestamp("event_time").toInstant(),
                stored.getString("endpoint"),
                stored.getString("api"),
                stored.getString("requester"),
                stored.getString("on_behalf_of"),
                stored.getString("door"),
                stored.getString("provider"),
                stored.getString("model"),
                stored.getObject("status_code"),
                stored.getString("error"),
                input,
                output,
                input + output,
                stored.getBoolean("is_estimated"),
                stored.getLong("cost_micros") / 1e6,
                stored.getObject("latency_ms"),
                stored.getObject("first_token_ms"),
                stored.getObject("attempts"),
                stored.getBoolean("is_stream"),
                stored.getObject("is_template"));
    }

    private static List<@Nullable Object> said(ResultSet stored) throws SQLException {
        return Arrays.<@Nullable Object>asList(
                stored.getString("request_id"),
                stored.getTimestamp("event_time").toInstant(),
                stored.getString("endpoint"),
                stored.getString("requester"),
                stored.getInt("status_code"),
                stored.getString("request"),
                stored.getString("response"));
    }
}
