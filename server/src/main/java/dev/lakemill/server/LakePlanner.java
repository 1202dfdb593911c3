package dev.lakemill.server;

import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.CatalogTable;
import dev.lakemill.catalog.Decision;
import dev.lakemill.catalog.NameDefaults;
import dev.lakemill.catalog.TableKind;
import dev.lakemill.catalog.ViewDefinition;
import dev.lakemill.pipeline.WarmCompiler;
import dev.lakemill.plan.Fragment;
import dev.lakemill.plan.NearestName;
import dev.lakemill.plan.Relation;
import dev.lakemill.plan.SourceText;
import dev.lakemill.plan.SqlCompilation;
import dev.lakemill.plan.SqlRequest;
import dev.lakemill.plan.TextError;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.TableName;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Makes plans of texts: compiles them, finds what their names stand for, and asks who may read it.
 *
 * <p>What a text names is read with the rights of whoever asks. What a view's text names is read
 * with the rights of the view's owner, and the view itself with the rights of whoever names it.
 * Safe to use from any thread.
 */
final class LakePlanner {
    static final int VIEWS_DEEP_MAX = 16;

    private final Catalog catalog;
    private final SystemTables system;
    private final WarmCompiler compiler;

    LakePlanner(Catalog catalog, SystemTables system, WarmCompiler compiler) {
        this.catalog = catalog;
        this.system = system;
        this.compiler = compiler;
    }

    /**
     * @throws LakemillException PERMISSION_DENIED naming the missing grant; INVALID_ARGUMENT with
     *     the place for what is wrong in the text; FAILED_PRECONDITION for what is wrong in a view
     */
    LakePlan plan(Caller caller, Fragment text, NameDefaults defaults) {
        return new Planning().plan(reading(caller, text, defaults));
    }

    /** The same for what is to be the text of a view, which may not read itself. */
    LakePlan plan(Caller caller, Fragment text, NameDefaults defaults, TableName view) {
        var planning = new Planning();
        planning.path.add(view);
        return planning.plan(reading(caller, text, defaults));
    }

    /**
     * What a view reads.
     *
     * @throws LakemillException FAILED_PRECONDITION when it cannot be read any more
     */
    LakePlan plan(CatalogTable view) {
        var planning = new Planning();
        var query = planning.query(view, definition(view));
        return new LakePlan(query, planning.scanned);
    }

    private ViewDefinition definition(CatalogTable view) {
        return catalog.view(view.name())
                .orElseThrow(
                        () ->
                                new LakemillException(
                                        ErrorCode.NOT_FOUND,
                                        "the view %s is gone".formatted(view.name()),
                                        ""));
    }

    /**
     * A text that is read.
     *
     * @param asker empty for the text of a view
     * @param rights throws unless what it names may be read
     * @param refusal what is said of a mistake in it
     */
    private record Reading(
            Fragment text,
            NameDefaults defaults,
            Optional<Caller> asker,
            Consumer<Securable> rights,
            Function<TextError, LakemillException> refusal) {
        LakemillException refused(SqlCompilation.Read read, String problem, String hint) {
            return refusal.apply(new TextError(read.position(), problem, hint));
        }
    }

    private Reading reading(Caller caller, Fragment text, NameDefaults defaults) {
        return new Reading(
                text,
                defaults,
                Optional.of(caller),
                table -> catalog.access().require(caller, Privilege.SELECT, table),
                error -> error.toException(text.source()));
    }

    private Reading reading(CatalogTable view, ViewDefinition definition) {
        var source = new SourceText(view.name().toString(), definition.text());
        return new Reading(
                Fragment.all(source),
                definition.defaults(),
                Optional.empty(),
                table -> requireOfOwner(view, table),
                error -> broken(view, error, source));
    }

    private void requireOfOwner(CatalogTable view, Securable table) {
        var owner = catalog.grants().owner(Securable.table(view.name()));
        if (catalog.access().decide(owner.id(), Privilege.SELECT, table)
                instanceof Decision.Denied denied) {
            throw new LakemillException(
                    ErrorCode.PERMISSION_DENIED,
                    "the view %s reads %s, on which its owner `%s` lacks SELECT (%s on %s)"
                            .formatted(
                                    view.name(),
                                    table.name(),
                                    owner.name(),
                                    denied.missing().sql(),
                                    denied.on()),
                    "GRANT %s ON %s TO `%s`, or give the view another owner"
                            .formatted(denied.missing().sql(), denied.on(), owner.name()));
        }
    }

    private static LakemillException broken(CatalogTable view, TextError error, SourceText source) {
        return new LakemillException(
                ErrorCode.FAILED_PRECONDITION,
                "the view %s cannot be read any more: %s"
                        .formatted(view.name(), error.toException(source).problem()),
                "its owner can mend it: ALTER VIEW %s AS SELECT …".formatted(view.name()));
    }

    /** One plan in the making, with all views in it. One use; one thread. */
    private final class Planning {
        final SequencedMap<TableName, LakePlan.Scanned> scanned = new LinkedHashMap<>();
        final Deque<TableName> path = new ArrayDeque<>();

        /** The text that all began with, and what of it is looked up. */
        private @Nullable Reading top;

        private SqlCompilation.@Nullable Read topRead;

        LakePlan plan(Reading reading) {
            return new LakePlan(relation(reading), scanned);
        }

        private Relation relation(Reading reading) {
            var sources = new ArrayList<SqlRequest.Source>();
            top = top == null ? reading : top;
            var compiled = compiler.compile(new SqlRequest.Query(reading.text(), sources));
            if (compiled instanceof SqlCompilation.Reads(var reads)) {
                for (var read : reads) {
                    topRead = reading.equals(top) ? read : topRead;
                    var of = read.tailOf();
                    sources.add(
                            of.isPresent() ? tail(reading, read, of.get()) : source(reading, read));
                }
                compiled = compiler.compile(new SqlRequest.Query(reading.text(), sources));
            }
            return switch (compiled) {
                case SqlCompilation.Query(Relation query) -> query;
                case SqlCompilation.Rejected(var errors) ->
                        throw reading.refusal().apply(errors.getFirst());
                case SqlCompilation.Reads _, SqlCompilation.Scalar _ ->
                        throw new IllegalStateException("a query whose tables are known");
            };
        }

        /** What a name stands for, if it may be read. */
        private SqlRequest.Source source(Reading reading, SqlCompilation.Read read) {
            var name = name(reading, read);
            var ofSystem = system.find(name);
            if (ofSystem.isPresent()) {
                scanned.put(name, new LakePlan.OfSystem(ofSystem.get()));
                return new SqlRequest.Source(read.written(), name, ofSystem.get().schema());
            }
            var found = catalog.find(name).orElseThrow(() -> unknown(reading, read, name));
            reading.rights().accept(Securable.table(found.name()));
            var definition = catalog.view(found.name());
            if (definition.isPresent()) {
                return view(read, found, definition.get());
            }
            elsewhere(found)
                    .ifPresent(
                            hint -> {
                                throw reading.refused(
                                        read,
                                        "%s is a %s and not of the lake"
                                                .formatted(found.name(), found.kind()),
                                        hint);
                            });
            scanned.put(found.name(), new LakePlan.Delta(found));
            return new SqlRequest.Source(read.written(), found.name(), found.schema());
        }

        private SqlRequest.Source view(
                SqlCompilation.Read read, CatalogTable view, ViewDefinition definition) {
            if (path.contains(view.name())) {
                var way = path.stream().map(TableName::toString).collect(Collectors.joining(", "));
                throw refusedAtTop(
                        "%s would read itself, by way of %s".formatted(view.name(), way),
                        "leave it out");
            }
            if (path.size() >= VIEWS_DEEP_MAX) {
                throw refusedAtTop(
                        "views over views are more than %d deep here".formatted(VIEWS_DEEP_MAX),
                        "read the tables themselves");
            }
            if (!scanned.containsKey(view.name())) {
                var query = query(view, definition);
                scanned.put(view.name(), new LakePlan.View(view, query));
            }
            var known = (LakePlan.View) Objects.requireNonNull(scanned.get(view.name()));
            return new SqlRequest.Source(
                    read.written(), view.name(), ViewColumns.schema(view, known.query()));
        }

        private LakemillException refusedAtTop(String problem, String hint) {
            return Objects.requireNonNull(top)
                    .refused(Objects.requireNonNull(topRead), problem, hint);
        }

        /** Gives out the view's columns, whatever its sources have got since. */
        Relation query(CatalogTable view, ViewDefinition definition) {
            path.addLast(view.name());
            var reading = reading(view, definition);
            var query = relation(reading);
            path.removeLast();
            var fitted = ViewColumns.fitted(view, definition, query);
            var schema = ViewColumns.schema(view, fitted);
            if (!schema.equals(view.schema())) {
                catalog.adoptColumns(view.name(), definition, schema);
            }
            return fitted;
        }

        /** The log's tail of a table, under a name of its own. */
        private SqlRequest.Source tail(
                Reading reading, SqlCompilation.Read read, SqlCompilation.Read of) {
            if (!path.isEmpty()) {
                throw reading.refused(read, "a view reads no log", "read the table itself");
            }
            var name = name(reading, of);
            var table = catalog.find(name);
            if (table.isEmpty() && system.find(name).isEmpty()) {
                throw unknown(reading, of, name);
            }
            table.ifPresent(t -> reading.rights().accept(Securable.table(t.name())));
            if (table.filter(t -> t.kind() == TableKind.INGESTED).isEmpty()) {
                throw reading.refused(
                        read,
                        "%s takes no rows from producers, so that no log has its tail"
                                .formatted(of.written()),
                        "read the table itself");
            }
            var found = table.get();
            var standIn = LakeTable.tailName(found.name());
            if (catalog.find(standIn).isPresent()) {
                throw reading.refused(
                        read,
                        "the tail of %s cannot be read beside the table %s"
                                .formatted(found.name(), standIn),
                        "name that one otherwise");
            }
            scanned.put(standIn, new LakePlan.Tail(found));
            return new SqlRequest.Source(read.written(), standIn, LakeTable.tailSchema(found));
        }
    }

    /** Where to read a table that is no Delta table, or not for us to read. */
    private static Optional<String> elsewhere(CatalogTable table) {
        return switch (table.kind()) {
            case INGESTED, STREAMING_TABLE, MATERIALIZED_VIEW, QUARANTINE, EXTERNAL ->
                    Optional.empty();
            case SYNCED ->
                    Optional.of(
                            "read it in Postgres (./lakemill sql --postgres), or read %s here"
                                    .formatted(table.properties().get(OutputTables.SOURCE)));
            case STATE, VIEW -> Optional.of("read it in Postgres (./lakemill sql --postgres)");
            case MANAGED -> Optional.of("read it by Spark with the catalog's REST API");
        };
    }

    private static TableName name(Reading reading, SqlCompilation.Read read) {
        try {
            return TableNames.completed(
                    List.of(read.written().split("\\.", -1)), reading.defaults());
        } catch (LakemillException e) {
            throw reading.refused(read, e.problem(), e.hint());
        }
    }

    /** Names of tables that the caller may not see are not told. */
    private LakemillException unknown(Reading reading, SqlCompilation.Read read, TableName name) {
        if (reading.asker().isEmpty()) {
            return reading.refused(read, "there is no table %s any more".formatted(name), "");
        }
        var seen =
                system.seenBy(reading.asker().get()).stream()
                        .map(table -> table.name().toString())
                        .toList();
        return reading.refused(
                read,
                "there is no table %s, or you may not see it".formatted(name),
                NearestName.hint(name.toString(), seen));
    }
}
