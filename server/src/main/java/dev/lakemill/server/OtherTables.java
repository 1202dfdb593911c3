package dev.lakemill.server;

import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.CatalogTable;
import dev.lakemill.catalog.TableKind;
import dev.lakemill.pipeline.WarmCompiler;
import dev.lakemill.plan.Compilation;
import dev.lakemill.plan.KnownTable;
import dev.lakemill.plan.ModelReference;
import dev.lakemill.plan.SourcePosition;
import dev.lakemill.plan.TextError;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import java.net.URI;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.CompletionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The tables of the catalog that a pipeline's text names though another pipeline, or somebody else,
 * writes them.
 */
final class OtherTables {
    /** Ingested tables are declared: their rows come from the log, sooner than Delta has them. */
    private static final Set<TableKind> KINDS =
            EnumSet.of(
                    TableKind.STREAMING_TABLE,
                    TableKind.MATERIALIZED_VIEW,
                    TableKind.QUARANTINE,
                    TableKind.MANAGED,
                    TableKind.EXTERNAL);

    private static final Logger log = LoggerFactory.getLogger(OtherTables.class);

    private OtherTables() {}

    /**
     * A compilation, again where the text names tables of others, which are known by now. A folder
     * or a jar that cannot be read is as wrong as a text, and so is one that meets a defect.
     */
    static Compilation known(
            WarmCompiler compiler,
            PipelineTexts texts,
            Config config,
            Config.PipelineEntry entry,
            ModelReference.Resolver models,
            Catalog catalog) {
        try {
            var first = texts.of(entry);
            return first instanceof Compilation.Rejected && !named(config, entry, catalog).isEmpty()
                    ? compile(compiler, config, entry, models, catalog)
                    : told(first, catalog);
        } catch (LakemillException e) {
            if (e.code() != ErrorCode.INVALID_ARGUMENT && e.code() != ErrorCode.NOT_FOUND) {
                throw e;
            }
            return rejected(entry, e.problem(), e.hint());
        } catch (RuntimeException e) {
            log.error("compiling pipeline '{}' met a defect", entry.name(), e);
            var cause = e instanceof CompletionException && e.getCause() != null ? e.getCause() : e;
            return rejected(entry, PipelineEvents.said(cause), "report it, with the node's log");
        }
    }

    private static Compilation rejected(Config.PipelineEntry entry, String problem, String hint) {
        var place = new SourcePosition(entry.folder().toString(), 1, 1);
        return new Compilation.Rejected(entry.name(), List.of(new TextError(place, problem, hint)));
    }

    /** The text compiled with what the catalog knows of the tables that it names. */
    static Compilation compile(
            WarmCompiler compiler,
            Config config,
            Config.PipelineEntry entry,
            ModelReference.Resolver models,
            Catalog catalog) {
        return told(
                PipelineTexts.compile(
                        compiler, config, entry, models, true, named(config, entry, catalog)),
                catalog);
    }

    /** A view of the catalog is no table of a pipeline, which is told where one is named. */
    private static Compilation told(Compilation compilation, Catalog catalog) {
        if (!(compilation instanceof Compilation.Rejected(var name, var errors))) {
            return compilation;
        }
        var views =
                catalog.list().stream()
                        .map(CatalogTable::name)
                        .filter(view -> catalog.view(view).isPresent())
                        .toList();
        return new Compilation.Rejected(
                name, errors.stream().map(error -> told(error, views)).toList());
    }

    private static TextError told(TextError error, List<TableName> views) {
        var message = error.message().toLowerCase(Locale.ROOT);
        return views.stream()
                .filter(v -> message.contains("'" + v.toString().toLowerCase(Locale.ROOT) + "'"))
                .findFirst()
                .map(
                        view ->
                                new TextError(
                                        error.position(),
                                        "%s is a view of the catalog, which pipelines do not read"
                                                .formatted(view),
                                        "read the tables that it reads, or write its query as a"
                                                + " TEMPORARY VIEW in the pipeline's text"))
                .orElse(error);
    }

    private static List<KnownTable> named(
            Config config, Config.PipelineEntry entry, Catalog catalog) {
        var text = new StringBuilder();
        PipelineTexts.read(config, entry)
                .files()
                .forEach(file -> text.append(file.text()).append('\n'));
        var all = text.toString().replace("`", "").toLowerCase(Locale.ROOT);
        return catalog.list().stream()
                .filter(table -> KINDS.contains(table.kind()))
                .filter(table -> table.location().startsWith("file:"))
                .filter(table -> !isOwn(table, entry))
                .filter(table -> all.contains(table.name().toString().toLowerCase(Locale.ROOT)))
                .map(
                        table ->
                                new KnownTable(
                                        table.name(),
                                        table.schema(),
                                        Path.of(URI.create(table.location())).toString()))
                .toList();
    }

    private static boolean isOwn(CatalogTable table, Config.PipelineEntry entry) {
        return entry.name().equals(table.properties().get(OutputTables.PIPELINE));
    }
}
