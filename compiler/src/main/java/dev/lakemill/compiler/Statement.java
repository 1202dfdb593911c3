package dev.lakemill.compiler;

import dev.lakemill.plan.Fragment;
import dev.lakemill.plan.OnViolation;
import dev.lakemill.plan.SourcePosition;
import dev.lakemill.types.TableName;
import java.util.List;
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
     */
    record CreateDataset(
            TableName name,
            boolean streaming,
            List<ColumnText> columns,
            List<Rule> rules,
            String comment,
            Fragment query,
            SourcePosition position)
            implements Statement {}

    /** {@code CREATE TEMPORARY VIEW}. */
    record CreateView(String name, Fragment query, SourcePosition position) implements Statement {}

    /** {@code CREATE SYNCED TABLE}. */
    record CreateSynced(
            TableName name,
            TableName source,
            SourcePosition sourcePosition,
            List<Word> primaryKey,
            List<List<Word>> indexes,
            SourcePosition position)
            implements Statement {}

    /** A column as declared. */
    record ColumnText(
            String name,
            Fragment type,
            boolean nullable,
            String comment,
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
