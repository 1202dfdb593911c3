package dev.lakemill.server;

import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.sync.SourceStatus;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Securable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Does the statements about synced tables. */
final class SyncedTableStatements {
    private static final List<String> COLUMNS =
            List.of(
                    "name",
                    "source",
                    "mode",
                    "group",
                    "state",
                    "rows",
                    "version",
                    "skipped",
                    "message",
                    "stale_ms",
                    "progress",
                    "freshness");

    private final Catalog catalog;
    private final SyncedTables tables;

    SyncedTableStatements(Catalog catalog, SyncedTables tables) {
        this.catalog = catalog;
        this.tables = tables;
    }

    SqlAnswer run(Caller caller, SyncedTableStatement statement) {
        switch (statement) {
            case SyncedTableStatement.Create create -> create(caller, create);
            case SyncedTableStatement.Alter alter -> {
                var before = tables.require(caller, alter.name()).definition();
                tables.alter(caller, alter.name(), alter.change().apply(before));
            }
            case SyncedTableStatement.Drop drop -> drop(caller, drop);
            case SyncedTableStatement.Refresh refresh -> tables.refresh(caller, refresh.name());
            case SyncedTableStatement.Show show -> {
                return show(caller, show);
            }
        }
        return SqlAnswer.DONE;
    }

    private void create(Caller caller, SyncedTableStatement.Create create) {
        var exists = catalog.find(create.name()).isPresent();
        if (exists && create.ifNotExists()) {
            return;
        }
        if (exists && create.orReplace()) {
            tables.alter(caller, create.name(), create.definition());
        } else {
            tables.create(caller, create.name(), create.definition());
        }
    }

    private void drop(Caller caller, SyncedTableStatement.Drop drop) {
        try {
            tables.drop(caller, drop.name());
        } catch (LakemillException e) {
            if (!drop.ifExists() || e.code() != ErrorCode.NOT_FOUND) {
                throw e;
            }
        }
    }

    private SqlAnswer show(Caller caller, SyncedTableStatement.Show show) {
        var visible = new Visible(catalog, caller);
        var wanted = show.name().map(name -> tables.require(caller, name).table().name());
        var rows = new ArrayList<List<@Nullable String>>();
        for (var defined : tables.defined()) {
            var name = defined.table().name();
            if (wanted.map(w -> w.equals(name))
                    .orElseGet(() -> visible.sees(Securable.table(name)))) {
                rows.add(row(defined, tables.status(name)));
            }
        }
        return SqlAnswer.of(COLUMNS, rows);
    }

    private static List<@Nullable String> row(
            SyncedTables.Defined defined, Optional<SourceStatus> status) {
        var definition = defined.definition();
        return Arrays.asList(
                defined.table().name().toString(),
                definition.source().toString(),
                definition.mode().name(),
                definition.group(),
                status.map(s -> s.state().name()).orElse(null),
                status.map(s -> Long.toString(s.table().rows())).orElse(null),
                status.map(s -> Long.toString(s.version())).orElse(null),
                status.map(s -> s.table().skipped().toString()).orElse(null),
                status.map(SourceStatus::problem).orElse(null),
                status.map(s -> Long.toString(s.staleMillis())).orElse(null),
                status.map(SourceStatus::progress).map(SyncedTableStatements::text).orElse(null),
                status.map(definition::freshness).orElse(null));
    }

    private static String text(SourceStatus.Progress progress) {
        return "%.0f %%, %d of %d rows, %.0f s left"
                .formatted(
                        100 * progress.completion(),
                        progress.rows(),
                        progress.rowsTotal(),
                        progress.secondsLeft());
    }
}
