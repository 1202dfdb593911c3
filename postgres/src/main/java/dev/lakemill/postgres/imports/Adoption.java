package dev.lakemill.postgres.imports;

import dev.lakemill.catalog.AuditEvent;
import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.LineageEntity;
import dev.lakemill.catalog.LineageFlow;
import dev.lakemill.catalog.LineageNode;
import dev.lakemill.catalog.TableKind;
import dev.lakemill.postgres.PostgresTypes;
import dev.lakemill.postgres.RowAudit;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Securable;
import dev.lakemill.types.TableName;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Makes tables and views that were moved in the catalog's: owner, row audit, lineage. */
final class Adoption {
    private final Catalog catalog;
    private final RowAudit audit;
    private final ImportListener listener;

    Adoption(Catalog catalog, RowAudit audit, ImportListener listener) {
        this.catalog = catalog;
        this.audit = audit;
        this.listener = listener;
    }

    /** What would be refused at the end is refused at the beginning. */
    void check(ImportRequest request, Caller caller) {
        if (!catalog.principals().isAdmin(caller.principal().id())) {
            throw new LakemillException(
                    ErrorCode.PERMISSION_DENIED,
                    "only metastore admins may import databases",
                    "a member of the group admins can add you to it");
        }
        if (catalog.principals().find(request.owner()).isEmpty()) {
            throw new LakemillException(
                    ErrorCode.NOT_FOUND,
                    "there is no principal '%s'".formatted(request.owner()),
                    "name one with --owner; './lakemill principal list' lists them");
        }
        new TableName(request.catalog(), "s", "t");
    }

    /** Names that the catalog has already, of whatever kind. */
    List<Blueprint.Refusal> taken(ImportRequest request, Blueprint blueprint) {
        return blueprint.tables().stream()
                .filter(t -> (t.schema() + t.name()).matches("\\w+"))
                .map(t -> new TableName(request.catalog(), t.schema(), t.name()))
                .filter(name -> catalog.find(name).isPresent())
                .map(
                        name ->
                                new Blueprint.Refusal(
                                        "table %s.%s".formatted(name.schema(), name.table()),
                                        "the catalog has a table %s already".formatted(name),
                                        "rename it there, or import into another --catalog"))
                .toList();
    }

    ImportReport adopt(Connection target, ImportStore.Known known, Caller caller, long copied)
            throws SQLException {
        var tables = ImportStore.tables(target, known.id());
        var objects = ImportStore.steps(target, known.id(), true).size();
        target.commit();
        var report = new ArrayList<ImportReport.Table>();
        var edges = new ArrayList<LineageFlow.Edge>();
        for (var one : tables) {
            var table = one.table();
            listener.doing("entering %s in the catalog".formatted(table));
            var name = new TableName(known.catalog(), table.schema(), table.name());
            adopt(target, known, caller, table, name);
            if (table.hasRows()) {
                var there = "postgresql://%s/%s".formatted(known.source(), table);
                edges.add(
                        new LineageFlow.Edge(
                                new LineageNode(LineageNode.Type.PATH, there),
                                LineageNode.table(name),
                                List.of(),
                                one.content().rows()));
                report.add(
                        new ImportReport.Table(
                                name.toString(), one.content().rows(), one.content().checksum()));
            }
        }
        var done = new ImportReport(known.source(), report, objects, copied);
        record(target, known, caller, done, edges);
        return done;
    }

    /** Each part is passed over when it is done. */
    private void adopt(
            Connection target,
            ImportStore.Known known,
            Caller caller,
            Blueprint.Table table,
            TableName name)
            throws SQLException {
        if (!table.isView()) {
            audit.attach(target, caller, table.schema(), table.name());
            target.commit();
        }
        var location = "postgres:" + table;
        var there = catalog.find(name);
        if (there.isEmpty()) {
            var kind = table.isView() ? TableKind.VIEW : TableKind.STATE;
            var columns = PostgresTypes.columns(target, table.schema(), table.name()).orElseThrow();
            target.commit();
            catalog.create(caller, name, kind, columns, location, table.comment(), Map.of());
        } else if (!there.get().location().equals(location)) {
            throw new LakemillException(
                    ErrorCode.ALREADY_EXISTS,
                    "the catalog has another table %s".formatted(name),
                    "rename or drop it, and run the import again");
        }
        var owner = catalog.grants().owner(Securable.table(name));
        if (!owner.name().equals(known.owner())) {
            catalog.grants().transfer(caller, Securable.table(name), known.owner());
        }
    }

    private void record(
            Connection target,
            ImportStore.Known known,
            Caller caller,
            ImportReport report,
            List<LineageFlow.Edge> edges)
            throws SQLException {
        var now = Instant.now();
        catalog.lineage()
                .record(
                        target,
                        List.of(
                                new LineageFlow(
                                        new LineageEntity(
                                                LineageEntity.Type.JOB,
                                                "import",
                                                known.id().toString()),
                                        caller.principal().name(),
                                        now.truncatedTo(ChronoUnit.HOURS),
                                        now,
                                        edges)));
        catalog.audit()
                .record(
                        target,
                        AuditEvent.done(
                                caller,
                                "postgres",
                                "importDatabase",
                                Map.of(
                                        "source", known.source(),
                                        "catalog", known.catalog(),
                                        "owner", known.owner(),
                                        "tables", String.valueOf(report.tables().size()),
                                        "rows", String.valueOf(report.rows()))));
        ImportStore.setState(target, known.id(), ImportStore.State.DONE);
        listener.doing("done");
        target.commit();
    }
}
