package dev.lakemill.pipeline;

import dev.lakemill.delta.DeltaSnapshot;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableName;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Brings all outputs to one batch in Delta. It reads what the pipeline's thread gave it, so that
 * batches go on meanwhile; one thread runs it, once.
 */
final class CommitRound {
    private final Checkpoint checkpoint;
    private final List<Due> due;
    private final Map<TableName, OutputTable> tables;
    private final Checkpoints checkpoints;
    private final DuckSession.@Nullable Snapshot snapshot;
    private final Map<TableName, Long> committed = new LinkedHashMap<>();
    private @Nullable InDoubt inDoubt;

    /**
     * @param due what changed since the round before
     * @param tables all outputs
     * @param snapshot that views are read from; null when no view is due
     */
    CommitRound(
            Checkpoint checkpoint,
            List<Due> due,
            Map<TableName, OutputTable> tables,
            Checkpoints checkpoints,
            DuckSession.@Nullable Snapshot snapshot) {
        this.checkpoint = checkpoint;
        this.due = new ArrayList<>(due);
        this.tables = tables;
        this.checkpoints = checkpoints;
        this.snapshot = snapshot;
    }

    /** An output to be committed. */
    sealed interface Due {
        TableName name();

        /** New rows of a table that grows. */
        record Append(TableName name, List<Part> parts) implements Due {}

        /** The new content of a view. */
        record Replace(Step.View view, String sql) implements Due {
            @Override
            public TableName name() {
                return view.name();
            }
        }
    }

    /**
     * Rows of one commit; closed when the round ends.
     *
     * @param batch the commit's transaction version
     */
    record Part(long batch, List<Rows> rows) {}

    /** How the round ended. */
    sealed interface Result {
        /** All outputs stand at the batch. */
        record Complete(Map<TableName, DeltaSnapshot> tables) implements Result {}

        /**
         * It broke off.
         *
         * @param committed the batch reached, of due outputs that reached one
         * @param inDoubt the commit that threw: it may be there or not; null for none
         * @param later whether it may go through later
         */
        record BrokenOff(
                Map<TableName, Long> committed,
                @Nullable InDoubt inDoubt,
                LakemillException reason,
                boolean later)
                implements Result {}
    }

    /** A commit of unknown outcome. */
    record InDoubt(TableName name, long batch) {}

    Checkpoint checkpoint() {
        return checkpoint;
    }

    /** An Error passes through: {@link #brokenOff} tells what stands nevertheless. */
    Result run() {
        try (var _ = snapshot) {
            checkpoints.write(checkpoint);
            due.forEach(this::commit);
            return new Result.Complete(snapshots());
        } catch (IOException | RuntimeException e) {
            return brokenOff(e);
        } finally {
            close();
        }
    }

    /** Frees the rows of a round that is not run. */
    void close() {
        for (var output : due) {
            if (output instanceof Due.Append(TableName _, List<Part> parts)) {
                parts.forEach(part -> part.rows().forEach(Rows::close));
            }
        }
        due.clear();
    }

    private void commit(Due output) {
        var table = tables.get(output.name());
        if (table == null) {
            throw new IllegalArgumentException("no table for " + output.name());
        }
        switch (output) {
            case Due.Append append -> {
                for (var part : append.parts()) {
                    inDoubt = new InDoubt(output.name(), part.batch());
                    table.append(part.rows(), part.batch());
                    committed.put(output.name(), part.batch());
                }
            }
            case Due.Replace replace -> {
                if (snapshot == null) {
                    throw new IllegalStateException("a view is due, but there is no snapshot");
                }
                table.replace(
                        snapshot.read(replace.sql(), replace.view().schema()), checkpoint.number());
                committed.put(output.name(), checkpoint.number());
            }
        }
        inDoubt = null;
    }

    private Map<TableName, DeltaSnapshot> snapshots() {
        var snapshots = new LinkedHashMap<TableName, DeltaSnapshot>();
        tables.forEach((name, table) -> snapshots.put(name, table.snapshot()));
        return snapshots;
    }

    /** What a round has done that {@code cause} ended. */
    Result brokenOff(Throwable cause) {
        try {
            checkpoints.delete(checkpoint.number());
        } catch (IOException e) {
            cause.addSuppressed(e);
        }
        var reason = reason(cause);
        var later =
                switch (reason.code()) {
                    case UNAVAILABLE, RESOURCE_EXHAUSTED, FAILED_PRECONDITION -> true;
                    case INVALID_ARGUMENT,
                            NOT_FOUND,
                            ALREADY_EXISTS,
                            UNIMPLEMENTED,
                            DATA_LOSS,
                            UNAUTHENTICATED,
                            PERMISSION_DENIED,
                            INTERNAL ->
                            false;
                };
        return new Result.BrokenOff(committed, inDoubt, reason, later);
    }

    private static LakemillException reason(Throwable cause) {
        return switch (cause) {
            case LakemillException known -> known;
            case Error defect ->
                    new LakemillException(
                            ErrorCode.INTERNAL,
                            "a defect: " + defect,
                            "report this, with the log",
                            defect);
            default ->
                    new LakemillException(
                            ErrorCode.UNAVAILABLE,
                            "the pipeline's outputs cannot be written: " + cause,
                            "see to the disk; the pipeline tries again by itself",
                            cause);
        };
    }
}
