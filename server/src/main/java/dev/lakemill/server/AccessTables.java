package dev.lakemill.server;

import dev.lakemill.catalog.AuditFilter;
import dev.lakemill.catalog.AuditReader;
import dev.lakemill.catalog.AuditRecord;
import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.Lineage;
import dev.lakemill.catalog.LineageFlow;
import dev.lakemill.catalog.LineageLink;
import dev.lakemill.catalog.LineageNode;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Securable;
import dev.lakemill.types.SecurableType;
import dev.lakemill.types.TableName;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The tables of Databricks' {@code system.access}: the audit log, for metastore admins, and the
 * lineage of tables and columns, for whoever sees the tables. They are read a page at a time.
 */
final class AccessTables {
    private static final String AUDIT =
            "account_id:STRING,workspace_id:STRING,version:STRING,event_time:TIMESTAMP,"
                    + "event_date:DATE,source_ip_address:STRING,user_agent:STRING,"
                    + "session_id:STRING,user_identity:STRUCT<email:STRING,subject_name:STRING>,"
                    + "service_name:STRING,action_name:STRING,request_id:STRING,"
                    + "request_params:MAP<STRING,STRING>,"
                    + "response:STRUCT<status_code:INT,error_message:STRING,result:STRING>,"
                    + "audit_level:STRING,event_id:STRING,"
                    + "identity_metadata:STRUCT<run_by:STRING,run_as:STRING>,door:STRING";
    private static final String NODE =
            "%1$s_table_full_name:STRING,%1$s_table_catalog:STRING,%1$s_table_schema:STRING,"
                    + "%1$s_table_name:STRING,%1$s_path:STRING,%1$s_type:STRING,";
    private static final String LINEAGE =
            "account_id:STRING,metastore_id:STRING,workspace_id:STRING,entity_type:STRING,"
                    + "entity_id:STRING,entity_run_id:STRING,"
                    + NODE.formatted("source")
                    + NODE.formatted("target")
                    + "created_by:STRING,event_time:TIMESTAMP,event_date:DATE,record_id:STRING";
    private static final String LOCAL = "0";
    private static final int PAGE_ROWS = 1_000;

    private final Catalog catalog;
    private final AuditReader audit;

    private AccessTables(Catalog catalog, AuditReader audit) {
        this.catalog = catalog;
        this.audit = audit;
    }

    static List<SystemTable> of(Catalog catalog, AuditReader audit) {
        var access = new AccessTables(catalog, audit);
        return List.of(
                SystemTable.of(name("audit"), AUDIT, access::audit),
                SystemTable.of(name("table_lineage"), LINEAGE, access::tableLineage),
                SystemTable.of(
                        name("column_lineage"),
                        LINEAGE + ",source_column_name:STRING,target_column_name:STRING",
                        access::columnLineage));
    }

    private static TableName name(String table) {
        return new TableName("system", "access", table);
    }

    private Stream<List<@Nullable Object>> audit(Caller caller) {
        if (!new Visible(catalog, caller).isAdmin()) {
            throw new LakemillException(
                    ErrorCode.PERMISSION_DENIED,
                    "%s may not read system.access.audit".formatted(caller.principal().name()),
                    "members of the group admins may");
        }
        catalog.audit().flush();
        Function<String, AuditReader.Page> read =
                token -> audit.events(AuditFilter.ALL, AuditReader.PAGE_RECORDS_MAX, token);
        return Stream.iterate(
                        read.apply(""),
                        Objects::nonNull,
                        page -> page.nextToken().isEmpty() ? null : read.apply(page.nextToken()))
                .flatMap(page -> page.records().stream())
                .map(AccessTables::row);
    }

    private static List<@Nullable Object> row(AuditRecord record) {
        return row(
                LOCAL,
                LOCAL,
                record.version(),
                record.time(),
                record.time().atZone(ZoneOffset.UTC).toLocalDate(),
                record.address(),
                record.userAgent(),
                record.sessionId(),
                row(record.email(), record.subjectName()),
                record.service(),
                record.action(),
                record.requestId(),
                record.parameters(),
                row(record.status(), record.error(), null),
                record.level(),
                record.eventId().toString(),
                row(record.runBy(), record.runAs()),
                record.door());
    }

    private static List<@Nullable Object> row(@Nullable Object... values) {
        return Arrays.asList(values);
    }

    private Stream<List<@Nullable Object>> tableLineage(Caller caller) {
        return events(caller).map(AccessTables::row);
    }

    private Stream<List<@Nullable Object>> columnLineage(Caller caller) {
        return events(caller)
                .flatMap(
                        event ->
                                catalog.lineage().columns(event).stream()
                                        .map(columns -> row(event, columns)));
    }

    /** Flows all of whose tables the caller sees. */
    private Stream<Lineage.Event> events(Caller caller) {
        var visible = new Visible(catalog, caller);
        var before = Instant.parse("9999-01-01T00:00:00Z");
        Function<Lineage.@Nullable Event, List<Lineage.Event>> read =
                last ->
                        catalog.lineage()
                                .events(
                                        last == null ? Instant.EPOCH : last.link().time(),
                                        last == null ? "" : last.recordId(),
                                        before,
                                        PAGE_ROWS);
        return Stream.iterate(
                        read.apply(null),
                        page -> !page.isEmpty(),
                        page -> read.apply(page.getLast()))
                .flatMap(List::stream)
                .filter(event -> sees(visible, event.link()));
    }

    private boolean sees(Visible visible, LineageLink link) {
        return sees(visible, link.source()) && sees(visible, link.target());
    }

    /** What the catalog does not know is nobody's secret but its admins'. */
    private boolean sees(Visible visible, @Nullable LineageNode node) {
        if (node == null) {
            return true;
        }
        return switch (node.type()) {
            case TABLE, STREAMING_TABLE, MATERIALIZED_VIEW, VIEW ->
                    catalog.find(TableName.parse(node.name()))
                            .map(table -> visible.sees(Securable.table(table.name())))
                            .orElseGet(visible::isAdmin);
            case MODEL -> visible.sees(new Securable(SecurableType.REGISTERED_MODEL, node.name()));
            case PATH -> visible.isAdmin();
        };
    }

    private static List<@Nullable Object> row(Lineage.Event event) {
        var link = event.link();
        var row = new ArrayList<@Nullable Object>(List.of(LOCAL, LOCAL, LOCAL));
        row.add(link.entity().type().name());
        row.add(link.entity().id());
        row.add(link.entity().runId().isEmpty() ? null : link.entity().runId());
        row.addAll(node(link.source()));
        row.addAll(node(link.target()));
        row.add(link.createdBy());
        row.add(link.time());
        row.add(link.time().atZone(ZoneOffset.UTC).toLocalDate());
        row.add(event.recordId());
        return row;
    }

    private static List<@Nullable Object> row(Lineage.Event event, LineageFlow.Columns columns) {
        var row = new ArrayList<>(row(event));
        row.add(columns.source());
        row.add(columns.target());
        return row;
    }

    private static List<@Nullable Object> node(@Nullable LineageNode node) {
        if (node == null) {
            return row(null, null, null, null, null, null);
        }
        var parts = node.name().split("\\.", -1);
        return node.type() == LineageNode.Type.PATH || parts.length != 3
                ? row(null, null, null, null, node.name(), node.type().name())
                : row(node.name(), parts[0], parts[1], parts[2], null, node.type().name());
    }
}
