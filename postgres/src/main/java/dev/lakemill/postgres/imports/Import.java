package dev.lakemill.postgres.imports;

import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.postgres.Postgres;
import dev.lakemill.postgres.RowAudit;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Moves an application's database into state tables.
 *
 * <p>Everything of the source is seen in one REPEATABLE READ transaction. What cannot be moved is
 * told before anything is written ({@link Rehearsal}). Then: all objects that rows need, in one
 * transaction; each table's rows, in one transaction each; keys, indexes, views and triggers, in
 * one each; counts and checksums against the source; the catalog. What is done is written down in
 * the same transaction ({@link ImportStore}), so that an import that was killed anywhere goes on
 * when it is asked for again.
 *
 * <p>One that goes on sees a later moment of the source. It holds what it had copied against that
 * and copies anew what differs, so that at its end all tables show one moment of the source.
 */
public final class Import {
    private static final String LOCKED = "55P03";

    private final Postgres postgres;
    private final Catalog catalog;
    private final RowAudit audit;
    private final ImportListener listener;

    /** Makes its own tables where they are missing. */
    public Import(Postgres postgres, Catalog catalog, RowAudit audit, ImportListener listener) {
        this.postgres = postgres;
        this.catalog = catalog;
        this.audit = audit;
        this.listener = listener;
        ImportStore.migrate(postgres.ownerUnpooled());
    }

    /**
     * Begins one, or goes on with one that ended before its end.
     *
     * @throws LakemillException FAILED_PRECONDITION for what cannot be moved, and when another
     *     import is not done; DATA_LOSS when rows are not the same in the end
     */
    public ImportReport run(ImportRequest request, Caller caller) throws SQLException {
        var adoption = new Adoption(catalog, audit, listener);
        adoption.check(request, caller);
        try (var target = target()) {
            var known = ImportStore.open(target);
            target.commit();
            if (known.isPresent() && !known.get().isOf(request)) {
                throw other(known.get());
            }
            long copied = 0;
            if (known.isEmpty() || known.get().state() == ImportStore.State.MOVING) {
                try (var source = request.source().open()) {
                    listener.doing("reading the source's structure");
                    var blueprint =
                            SourceReader.read(source, target, request.schemas(), request.leftOut());
                    lock(source, blueprint);
                    var going = known.isPresent();
                    var moving =
                            going
                                    ? goOn(known.get(), blueprint)
                                    : begin(
                                            target,
                                            request,
                                            blueprint.with(adoption.taken(request, blueprint)),
                                            caller);
                    copied = new Moving(source, target, moving).move(blueprint, going);
                }
            }
            var moved = ImportStore.open(target).orElseThrow();
            return adoption.adopt(target, moved, caller, copied);
        }
    }

    /**
     * Takes away what an import that is not done has made; schemas and extensions stay.
     *
     * @return whether there was one
     * @throws LakemillException FAILED_PRECONDITION when its tables are the catalog's already
     */
    public boolean discard() throws SQLException {
        try (var target = target()) {
            var known = ImportStore.open(target);
            if (known.isEmpty()) {
                return false;
            }
            if (known.get().state() != ImportStore.State.MOVING) {
                throw new LakemillException(
                        ErrorCode.FAILED_PRECONDITION,
                        "all rows of %s are here".formatted(known.get().source()),
                        "run the import again, which makes them the catalog's; then drop tables");
            }
            var steps = ImportStore.steps(target, known.get().id(), true);
            Rehearsal.prepare(target);
            Rehearsal.asObjects(target);
            undo(target, steps);
            resetRole(target);
            ImportStore.delete(target, known.get().id());
            target.commit();
            return true;
        }
    }

    /** One session works at imports at a time; one that has just ended may be on its way out. */
    private Connection target() throws SQLException {
        var target = postgres.ownerUnpooled().getConnection();
        try (var statement = target.createStatement()) {
            statement.execute("SET lock_timeout = '15s'");
            statement.execute("SELECT pg_advisory_lock(%d)".formatted(ImportStore.LOCK));
            statement.execute(
                    ImportSource.TEXTS + "SET lock_timeout = 0; SET statement_timeout = 0");
            target.setAutoCommit(false);
            return target;
        } catch (SQLException e) {
            target.close();
            if (LOCKED.equals(e.getSQLState())) {
                throw new LakemillException(
                        ErrorCode.FAILED_PRECONDITION,
                        "an import is running",
                        "wait for its end; './lakemill import status' tells how far it is",
                        e);
            }
            throw e;
        }
    }

    private static LakemillException other(ImportStore.Known known) {
        return new LakemillException(
                ErrorCode.FAILED_PRECONDITION,
                "the import of %s (schemas: %s; left out: %s; into %s, for %s) is not done"
                        .formatted(
                                known.source(),
                                known.schemas().isEmpty()
                                        ? "all"
                                        : String.join(", ", known.schemas()),
                                known.leftOut().isEmpty()
                                        ? "nothing"
                                        : String.join(", ", known.leftOut()),
                                known.catalog(),
                                known.owner()),
                "ask for it in the same words again, or take it away with"
                        + " './lakemill import discard'");
    }

    /** Whoever may not read a table or sequence is told so now; nobody alters tables meanwhile. */
    private static void lock(Connection source, Blueprint blueprint) throws SQLException {
        var names = blueprint.tables().stream().filter(t -> !t.isView()).map(t -> t.sql()).toList();
        if (!names.isEmpty()) {
            try (var statement = source.createStatement()) {
                statement.execute(
                        "LOCK TABLE ONLY %s IN ACCESS SHARE MODE"
                                .formatted(String.join(", ONLY ", names)));
                for (var sequence : blueprint.sequences()) {
                    statement.executeQuery("SELECT last_value FROM " + sequence).close();
                }
            } catch (SQLException e) {
                throw new LakemillException(
                        ErrorCode.FAILED_PRECONDITION,
                        "the source's tables cannot be read: " + e.getMessage(),
                        "GRANT SELECT on all tables and sequences to the URL's user there",
                        e);
            }
        }
    }

    private ImportStore.Known begin(
            Connection target, ImportRequest request, Blueprint blueprint, Caller caller)
            throws SQLException {
        listener.doing(
                "rehearsing %d steps"
                        .formatted(blueprint.before().size() + blueprint.after().size()));
        var order = Rehearsal.of(target, blueprint, request.leftOut());
        var bases = Set.copyOf(blueprint.bases());
        Rehearsal.prepare(target);
        for (var step : order.before()) {
            if (bases.contains(step)) {
                Rehearsal.run(target, step);
            }
        }
        Rehearsal.asObjects(target);
        for (var step : order.before()) {
            if (!bases.contains(step)) {
                Rehearsal.run(target, step);
            }
        }
        resetRole(target);
        var known = ImportStore.begin(target, request, blueprint, order, caller.principal().name());
        listener.doing("making %d objects".formatted(order.before().size()));
        target.commit();
        return known;
    }

    private static ImportStore.Known goOn(ImportStore.Known known, Blueprint blueprint) {
        if (!known.structure().equals(blueprint.fingerprint())) {
            throw new LakemillException(
                    ErrorCode.FAILED_PRECONDITION,
                    "tables of %s have been altered since the import began"
                            .formatted(known.source()),
                    "take away what is here with './lakemill import discard', and begin again");
        }
        return known;
    }

    private static void resetRole(Connection target) throws SQLException {
        try (var statement = target.createStatement()) {
            statement.execute("RESET ROLE");
        }
    }

    static void undo(Connection target, List<ImportStore.KnownStep> steps) throws SQLException {
        try (var statement = target.createStatement()) {
            for (var step : steps) {
                if (step.done() && !step.step().undo().isEmpty()) {
                    statement.execute(step.step().undo());
                }
            }
        }
    }

    /** From the first row until all is as in the source. */
    private final class Moving {
        private final Connection source;
        private final Connection target;
        private final ImportStore.Known known;

        /** Tables whose content is the source's at the moment that this run sees. */
        private final Set<Integer> equal = new HashSet<>();

        Moving(Connection source, Connection target, ImportStore.Known known) {
            this.source = source;
            this.target = target;
            this.known = known;
        }

        /** Returns how many rows were copied. */
        long move(Blueprint blueprint, boolean going) throws SQLException {
            var tables =
                    ImportStore.tables(target, known.id()).stream()
                            .filter(t -> t.table().hasRows())
                            .toList();
            target.commit();
            var rows = tables.stream().mapToLong(t -> t.table().rowsEstimated()).sum();
            var copy = new RowCopy(source, target, listener, rows);
            if (going) {
                compare(tables, copy);
            }
            for (var table : ImportStore.tables(target, known.id())) {
                if (table.table().hasRows() && !table.copied()) {
                    copy(table, copy);
                }
            }
            for (var step : ImportStore.steps(target, known.id(), false)) {
                if (!step.done()) {
                    take(step);
                }
            }
            verify(tables, copy);
            finish(tables, blueprint.sequences());
            return copy.rows();
        }

        /** What has changed in the source since it was copied is copied again. */
        private void compare(List<ImportStore.KnownTable> tables, RowCopy copy)
                throws SQLException {
            for (var table : tables) {
                if (!table.copied()) {
                    continue;
                }
                listener.doing("comparing " + table.table());
                var there = copy.inSource(table.table());
                if (there.equals(copy.inTarget(table.table()))) {
                    ImportStore.setContent(target, known.id(), table.number(), there);
                    equal.add(table.number());
                } else {
                    undoAfter();
                    ImportStore.setCopied(target, known.id(), table.number(), false);
                }
                target.commit();
            }
        }

        /** Rows come before keys and triggers. */
        private void undoAfter() throws SQLException {
            var taken =
                    ImportStore.steps(target, known.id(), false).stream()
                            .filter(ImportStore.KnownStep::done)
                            .toList()
                            .reversed();
            Rehearsal.prepare(target);
            Rehearsal.asObjects(target);
            undo(target, taken);
            resetRole(target);
            for (var step : taken) {
                ImportStore.setStep(target, known.id(), step.number(), false);
            }
        }

        private void copy(ImportStore.KnownTable table, RowCopy copy) throws SQLException {
            listener.doing("copying " + table.table());
            Rehearsal.prepare(target);
            Rehearsal.asObjects(target);
            copy.copy(table.table());
            resetRole(target);
            ImportStore.setCopied(target, known.id(), table.number(), true);
            listener.doing("copied " + table.table());
            target.commit();
        }

        private void take(ImportStore.KnownStep step) throws SQLException {
            listener.doing(step.step().object());
            Rehearsal.prepare(target);
            Rehearsal.asObjects(target);
            try (var statement = target.createStatement()) {
                statement.execute(step.step().command());
            }
            resetRole(target);
            ImportStore.setStep(target, known.id(), step.number(), true);
            target.commit();
        }

        private void verify(List<ImportStore.KnownTable> tables, RowCopy copy) throws SQLException {
            for (var table : tables) {
                if (!equal.contains(table.number())) {
                    listener.doing("verifying " + table.table());
                    var there = copy.inSource(table.table());
                    var here = copy.inTarget(table.table());
                    var same = there.equals(here);
                    ImportStore.setCopied(target, known.id(), table.number(), same);
                    ImportStore.setContent(target, known.id(), table.number(), here);
                    target.commit();
                    RowCopy.requireEqual(table.table(), there, here);
                }
            }
        }

        /**
         * Sequences go on where the source's are now, which is behind every row that was copied.
         */
        private void finish(List<ImportStore.KnownTable> tables, List<String> sequences)
                throws SQLException {
            listener.doing("setting %d sequences".formatted(sequences.size()));
            try (var statement = target.createStatement()) {
                for (var table : tables) {
                    statement.execute("ANALYZE " + table.table().sql());
                }
            }
            for (var sequence : sequences) {
                try (var there = source.createStatement();
                        var row =
                                there.executeQuery(
                                        "SELECT last_value, is_called FROM " + sequence);
                        var set = target.prepareStatement("SELECT setval(?::regclass, ?, ?)")) {
                    row.next();
                    set.setString(1, sequence);
                    set.setLong(2, row.getLong(1));
                    set.setBoolean(3, row.getBoolean(2));
                    set.execute();
                }
            }
            ImportStore.setState(target, known.id(), ImportStore.State.MOVED);
            listener.doing("all rows are here");
            target.commit();
        }
    }
}
