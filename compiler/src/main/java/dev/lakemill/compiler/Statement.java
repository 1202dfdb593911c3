package dev.lakemill.compiler;

import dev.lakemill.plan.Fragment;
import dev.lakemill.plan.KnownTable;
import dev.lakemill.plan.OnViolation;
import dev.lakemill.plan.RefreshPolicy;
import dev.lakemill.plan.SourcePosition;
import dev.lakemill.types.TableName;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A statement of a pipeline's text, its clauses told apart; what Spark reads is still text. */
sealed interface Statement {
    SourcePosition position();

    /** {@code CREATE TABLE}. */
    record CreateTable(
            TableName name, List<ColumnText> columns, String comment, SourcePosition position)
            implements Statement {}

    /**
     * {@code CREATE STREAMING TABLE} or {@code CREATE MATERIALIZED VIEW}.
     *
     * @param columns empty where the query alone says them
     * @param flows what writes it: one for {@code AS query}; those of {@code CREATE FLOW} are added
     *     when all statements are known
     */
    record CreateDataset(
            TableName name,
            boolean streaming,
            List<ColumnText> columns,
            List<Rule> rules,
            Clauses clauses,
            List<Flow> flows,
            SourcePosition position)
            implements Statement {
        CreateDataset with(List<Flow> all) {
            return new CreateDataset(name, streaming, columns, rules, clauses, all, position);
        }
    }

    /** A table of the catalog that others write; it stands in no text. */
    record CatalogTable(KnownTable table, SourcePosition position) implements Statement {}

    /** {@code CREATE TEMPORARY VIEW}, and a PRIVATE one of the pipeline. */
    record CreateView(String name, List<Word> columns, Fragment query, SourcePosition position)
            implements Statement {}

    /** {@code CREATE FLOW name AS …}, which writes a streaming table declared elsewhere. */
    record CreateFlow(TableName target, SourcePosition targetPosition, Flow flow)
            implements Statement {
        @Override
        public SourcePosition position() {
            return flow.position();
        }
    }

    /** What writes a dataset. */
    sealed interface Flow {
        String name();

        SourcePosition position();

        /**
         * Rows of a query.
         *
         * @param once true where they come a single time
         */
        record Insert(String name, boolean once, Fragment query, SourcePosition position)
                implements Flow {}

        /** Rows changed as the events of a stream tell: {@code AUTO CDC}. */
        record AutoCdc(
                String name,
                TableName source,
                SourcePosition sourcePosition,
                ChangeRules rules,
                SourcePosition position)
                implements Flow {}
    }

    /**
     * The clauses of {@code AUTO CDC}.
     *
     * @param ignoreNulls of {@code IGNORE NULL UPDATES}; empty where NULL is a value
     * @param sequence columns, the greater event being the later
     * @param sequenceIsStruct true where they stand in {@code STRUCT(…)}
     * @param columns that the target has; empty for all of the source
     * @param history whether old versions stay (SCD TYPE 2)
     * @param tracked whose change makes a version; empty for all
     */
    record ChangeRules(
            List<Word> keys,
            Optional<Columns> ignoreNulls,
            Optional<Fragment> deleteWhen,
            Optional<Fragment> truncateWhen,
            List<Word> sequence,
            boolean sequenceIsStruct,
            Optional<Columns> columns,
            boolean history,
            Optional<Columns> tracked) {}

    /**
     * Some columns of a table.
     *
     * @param except true where the words are those left out
     */
    record Columns(boolean except, List<Word> words) {}

    /** The clauses of a dataset between its columns and its query. */
    record Clauses(
            String comment,
            boolean isPrivate,
            Map<String, String> properties,
            RefreshPolicy refreshPolicy,
            Layout layout) {}

    /** {@code PARTITIONED BY} or {@code CLUSTER BY}; both empty for neither. */
    record Layout(List<Word> partitionedBy, List<Word> clusteredBy) {}

    /** {@code CREATE SYNCED TABLE}. */
    record CreateSynced(
            TableName name,
            TableName source,
            SourcePosition sourcePosition,
            List<Word> primaryKey,
            List<List<Word>> indexes,
            SourcePosition position)
            implements Statement {}

    /**
     * A column as declared.
     *
     * @param generated what {@code GENERATED ALWAYS AS} computes it from
     */
    record ColumnText(
            String name,
            Fragment type,
            boolean nullable,
            String comment,
            Optional<Fragment> generated,
            SourcePosition position) {}

    /**
     * An expectation as declared.
     *
     * @param condition what stands in the parentheses; empty for UNIQUE
     * @param unique the columns of UNIQUE; empty for a condition
     */
    record Rule(
            String name,
            Optional<Fragment> condition,
            List<Word> unique,
            OnViolation onViolation,
            String text,
            SourcePosition position) {}

    /** A column's name where it is used. */
    record Word(String text, SourcePosition position) {}
}
