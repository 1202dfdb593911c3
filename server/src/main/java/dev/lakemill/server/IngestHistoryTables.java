package dev.lakemill.server;

import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.Transactions;
import dev.lakemill.types.Securable;
import dev.lakemill.types.TableName;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * The history of streams and landings as tables of {@code system.lakeflow}, with Databricks'
 * columns. Metastore admins see all of it, others what concerns tables that they manage. Read a
 * page at a time, oldest first.
 */
final class IngestHistoryTables {
    private static final String LOCAL = "0";
    private static final int PAGE_ROWS = 1_000;
    private static final String STREAM =
            "account_id:STRING,workspace_id:STRING,stream_id:STRING,event_time:TIMESTAMP,"
                    + "producer_id:STRING,opened_time:TIMESTAMP,closed_time:TIMESTAMP,"
                    + "table_id:STRING,table_name:STRING,protocol:STRING,data_format:STRING,"
                    + "errors:ARRAY<STRUCT<error_message:STRING,error_time:TIMESTAMP>>";
    private static final String INGEST =
            "account_id:STRING,workspace_id:STRING,commit_time:TIMESTAMP,table_id:STRING,"
                    + "table_name:STRING,commit_version:BIGINT,committed_records:BIGINT,"
                    + "committed_bytes:BIGINT";

    /** Makes a row of the table that stands in Postgres. */
    private interface Row {
        List<@Nullable Object> of(ResultSet stored) throws SQLException;
    }

    private record Kept(long id, String table, List<@Nullable Object> row) {}

    private final Catalog catalog;
    private final DataSource database;

    private IngestHistoryTables(Catalog catalog, DataSource database) {
        this.catalog = catalog;
        this.database = database;
    }

    /** The tables; {@link IngestHistoryLog} has made what they read. */
    static List<SystemTable> of(Catalog catalog, DataSource database) {
        var history = new IngestHistoryTables(catalog, database);
        return List.of(
                SystemTable.of(
                        name("zerobus_stream"),
                        STREAM,
                        caller ->
                                history.rows(
                                        caller, "zerobus_stream", IngestHistoryTables::stream)),
                SystemTable.of(
                        name("zerobus_ingest"),
                        INGEST,
                        caller ->
                                history.rows(
                                        caller, "zerobus_ingest", IngestHistoryTables::landed)));
    }

    private static TableName name(String table) {
        return new TableName("system", "lakeflow", table);
    }

    private Stream<List<@Nullable Object>> rows(Caller caller, String table, Row row) {
        var visible = new Visible(catalog, caller);
        var isAdmin = visible.isAdmin();
        var seen = new HashMap<String, Boolean>();
        return Stream.iterate(
                        page(table, 0, row),
                        page -> !page.isEmpty(),
                        page -> page(table, page.getLast().id(), row))
                .flatMap(List::stream)
                .filter(
                        kept ->
                                isAdmin
                                        || seen.computeIfAbsent(
                                                kept.table(), name -> manages(visible, name)))
                .map(Kept::row);
    }

    private boolean manages(Visible visible, String table) {
        var securable = Securable.table(TableName.parse(table));
        return catalog.securables().find(securable).isPresent() && visible.manages(securable);
    }

    private List<Kept> page(String table, long after, Row row) {
        var sql =
                "SELECT * FROM lakemill.%s WHERE id > ? ORDER BY id LIMIT %d"
                        .formatted(table, PAGE_ROWS);
        return Transactions.run(
                database,
                connection -> {
                    var page = new ArrayList<Kept>();
                    try (var query = connection.prepareStatement(sql)) {
                        query.setLong(1, after);
                        try (var stored = query.executeQuery()) {
                            while (stored.next()) {
                                page.add(
                                        new Kept(
                                                stored.getLong("id"),
                                                stored.getString("table_name"),
                                                row.of(stored)));
                            }
                        }
                    }
                    return page;
                });
    }

    private static List<@Nullable Object> stream(ResultSet stored) throws SQLException {
        var error = stored.getString("error");
        var at = instant(stored.getTimestamp("event_time"));
        return Arrays.<@Nullable Object>asList(
                LOCAL,
                LOCAL,
                stored.getString("stream_id"),
                at,
                stored.getString("producer_id"),
                instant(stored.getTimestamp("opened_time")),
                instant(stored.getTimestamp("closed_time")),
                stored.getString("table_id"),
                stored.getString("table_name"),
                stored.getString("protocol"),
                stored.getString("data_format"),
                error == null ? List.of() : List.of(Arrays.<@Nullable Object>asList(error, at)));
    }

    private static List<@Nullable Object> landed(ResultSet stored) throws SQLException {
        return Arrays.<@Nullable Object>asList(
                LOCAL,
                LOCAL,
                instant(stored.getTimestamp("commit_time")),
                stored.getString("table_id"),
                stored.getString("table_name"),
                stored.getLong("commit_version"),
                stored.getLong("committed_records"),
                stored.getLong("committed_bytes"));
    }

    private static @Nullable Instant instant(@Nullable Timestamp time) {
        return time == null ? null : time.toInstant();
    }
}
