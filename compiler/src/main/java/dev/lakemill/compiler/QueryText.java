package dev.lakemill.compiler;

import dev.lakemill.plan.Fragment;
import dev.lakemill.plan.SourcePosition;
import dev.lakemill.plan.TextError;
import dev.lakemill.plan.TextRefused;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import org.apache.spark.sql.catalyst.AliasIdentifier;
import org.apache.spark.sql.catalyst.analysis.UnresolvedRelation;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.SubqueryAlias;

/** A query of the text, parsed, and the tables and views of the pipeline that it reads. */
final class QueryText {
    private final Catalyst catalyst;
    private final Fragment fragment;
    private final LogicalPlan parsed;

    /** Tables that stand for files. */
    private final Set<String> files;

    /**
     * @throws TextRefused if Spark cannot parse it
     */
    QueryText(Catalyst catalyst, Fragment fragment) {
        this(catalyst, fragment, catalyst.parseQuery(fragment), Set.of());
    }

    private QueryText(Catalyst catalyst, Fragment fragment, LogicalPlan parsed, Set<String> files) {
        this.catalyst = catalyst;
        this.fragment = fragment;
        this.parsed = parsed;
        this.files = files;
    }

    /**
     * The same with names in place of the files that it reads.
     *
     * @throws TextRefused for files that cannot be read so
     */
    QueryText withFiles(FileTables tables, Statement reader) {
        var before = reads();
        var named = tables.named(parsed, reader, fragment.position());
        var all = new QueryText(catalyst, fragment, named, Set.of()).reads();
        all.removeAll(before);
        return new QueryText(catalyst, fragment, named, all);
    }

    Fragment fragment() {
        return fragment;
    }

    /** The keys of the declarations that it reads. */
    Set<String> reads() {
        var reads = new LinkedHashSet<String>();
        Catalyst.relations(parsed).forEach(r -> reads.add(Declarations.key(name(r))));
        return reads;
    }

    /**
     * Names that nobody declared, streams that are none, and functions that Spark does not know.
     */
    List<TextError> check(Declarations declarations) {
        var errors = new ArrayList<TextError>();
        for (var relation : Catalyst.relations(parsed)) {
            if (files.contains(Declarations.key(name(relation)))) {
                continue;
            }
            var position = catalyst.position(relation.origin(), fragment.position());
            declarations
                    .find(name(relation))
                    .ifPresentOrElse(
                            found -> checkStream(relation, found, position, errors),
                            () -> errors.add(declarations.unknown(name(relation), position)));
        }
        for (var function : catalyst.unknownFunctions(parsed)) {
            var name = String.join(".", Scala.<String>list(function.nameParts()));
            errors.add(
                    new TextError(
                            catalyst.position(function.origin(), fragment.position()),
                            "there is no function '%s'".formatted(name),
                            FunctionHints.of(name)));
        }
        return errors;
    }

    private static void checkStream(
            UnresolvedRelation relation,
            Statement read,
            SourcePosition position,
            List<TextError> errors) {
        if (!relation.isStreaming()) {
            return;
        }
        switch (read) {
            case Statement.CreateDataset dataset when !dataset.streaming() ->
                    errors.add(
                            new TextError(
                                    position,
                                    "%s is a materialized view, whose rows change; it cannot be"
                                                    .formatted(dataset.name())
                                            + " read as a stream",
                                    "leave STREAM out, or make it a streaming table"));
            case Statement.CreateDataset dataset when !DatasetCompiler.appends(dataset) ->
                    errors.add(
                            new TextError(
                                    position,
                                    "%s is written by AUTO CDC, its rows change; it cannot be read"
                                                    .formatted(dataset.name())
                                            + " as a stream",
                                    "leave STREAM out, or read the stream of its events"));
            case Statement.CreateView view ->
                    errors.add(
                            new TextError(
                                    position,
                                    "%s is a temporary view; it cannot be read as a stream"
                                            .formatted(view.name()),
                                    "write STREAM round the table within the view"));
            case Statement.CreateDataset _,
                    Statement.CreateTable _,
                    Statement.CatalogTable _,
                    Statement.CreateFlow _,
                    Statement.CreateSynced _ -> {}
        }
    }

    /** The relations that it names, in the order of the text. */
    List<UnresolvedRelation> relations() {
        return Catalyst.relations(parsed);
    }

    /** The place of a relation in the user's file. */
    SourcePosition position(UnresolvedRelation relation) {
        return catalyst.position(relation.origin(), fragment.position());
    }

    /** The query with the names replaced by what they stand for, to be analysed. */
    LogicalPlan bound(Function<UnresolvedRelation, LogicalPlan> relations) {
        return parsed.transformDownWithSubqueries(
                Scala.change(
                        node -> node instanceof UnresolvedRelation,
                        node -> relations.apply((UnresolvedRelation) node)));
    }

    /** The same text parsed anew, so that a view may stand twice in one query. */
    QueryText again() {
        return new QueryText(catalyst, fragment);
    }

    static LogicalPlan aliased(String name, LogicalPlan plan) {
        return new SubqueryAlias(new AliasIdentifier(name, Scala.seq(List.of())), plan);
    }

    static String name(UnresolvedRelation relation) {
        return String.join(".", Scala.<String>list(relation.multipartIdentifier()));
    }
}
