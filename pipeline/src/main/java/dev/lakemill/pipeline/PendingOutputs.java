package dev.lakemill.pipeline;

import dev.lakemill.catalog.TableKind;
import dev.lakemill.feed.Changes;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableName;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What is not in Delta yet. The pipeline's thread owns it.
 *
 * <p>Each output knows the batch of its own last commit, so a round that reached only some outputs
 * needs no undoing: the next one brings each output what it lacks. A replayed batch that an output
 * has already leaves nothing pending there.
 */
final class PendingOutputs implements AutoCloseable {
    private final Map<TableName, Pending> outputs = new LinkedHashMap<>();
    private long bytes;

    PendingOutputs(Program program, Map<TableName, OutputTable> tables) {
        for (var output : program.outputs()) {
            var table = tables.get(output.name());
            if (table == null) {
                throw new IllegalArgumentException("no table for " + output.name());
            }
            outputs.put(
                    output.name(),
                    new Pending(
                            output.kind() == TableKind.MATERIALIZED_VIEW,
                            table.committed().orElse(0)));
        }
    }

    /** Notes what a batch changed; retains the rows it keeps. */
    void add(long batch, Map<TableName, Changes> changes) {
        changes.forEach(
                (name, change) -> {
                    var output = output(name);
                    if (batch <= output.committed) {
                        return;
                    }
                    output.changedAt = batch;
                    if (!output.isView) {
                        output.rows.addLast(new Added(batch, change.inserted().retain()));
                        bytes += change.inserted().sizeBytes();
                    }
                });
    }

    /** Rows that wait. */
    long bytes() {
        return bytes;
    }

    /**
     * Outputs that have changed since their last commit, each with the transaction version after
     * which it stands at {@code batch}.
     */
    Map<TableName, Long> due(long batch) {
        var due = new TreeMap<TableName, Long>();
        outputs.forEach(
                (name, output) -> {
                    if (output.changedAt > output.committed) {
                        due.put(name, output.changedAt <= output.inDoubt ? output.inDoubt : batch);
                    }
                });
        return due;
    }

    /** The newest batch that any output has in Delta. */
    long newestCommitted() {
        return outputs.values().stream().mapToLong(output -> output.committed).max().orElse(0);
    }

    boolean isView(TableName name) {
        return output(name).isView;
    }

    /**
     * The rows that wait, as commits; retained once more for the caller. Rows whose commit is in
     * doubt go again with the same transaction version, which Delta refuses if it has them.
     *
     * @param batch the version of the newest commit
     */
    List<CommitRound.Part> parts(TableName name, long batch) {
        var output = output(name);
        var parts = new ArrayList<CommitRound.Part>();
        addPart(parts, output, 0, output.inDoubt);
        addPart(parts, output, output.inDoubt, batch);
        return parts;
    }

    /** An output stands in Delta at a batch. */
    void committed(TableName name, long batch) {
        var output = output(name);
        output.committed = batch;
        while (!output.rows.isEmpty() && output.rows.getFirst().batch <= batch) {
            var added = output.rows.removeFirst();
            bytes -= added.rows.sizeBytes();
            added.rows.close();
        }
    }

    /** A commit threw: nobody knows whether it is there. */
    void inDoubt(TableName name, long batch) {
        output(name).inDoubt = batch;
    }

    private static void addPart(
            List<CommitRound.Part> parts, Pending output, long after, long upTo) {
        var rows = new ArrayList<Rows>();
        for (var added : output.rows) {
            if (added.batch > after && added.batch <= upTo) {
                rows.add(added.rows.retain());
            }
        }
        if (!rows.isEmpty()) {
            parts.add(new CommitRound.Part(upTo, rows));
        }
    }

    @Override
    public void close() {
        for (var output : outputs.values()) {
            output.rows.forEach(added -> added.rows.close());
            output.rows.clear();
        }
    }

    private Pending output(TableName name) {
        var output = outputs.get(name);
        if (output == null) {
            throw new IllegalArgumentException(name + " is no output");
        }
        return output;
    }

    /** One output. */
    private static final class Pending {
        private final boolean isView;
        private final ArrayDeque<Added> rows = new ArrayDeque<>();
        private long committed;
        private long changedAt;

        /** The last commit of unknown outcome. */
        private long inDoubt;

        Pending(boolean isView, long committed) {
            this.isView = isView;
            this.committed = committed;
        }
    }

    private record Added(long batch, Rows rows) {}
}
