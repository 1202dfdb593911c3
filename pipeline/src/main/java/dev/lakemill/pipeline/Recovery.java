package dev.lakemill.pipeline;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Finds out where a pipeline goes on: the only way to start one.
 *
 * <p>A round writes a checkpoint of batch R, then commits every output that has changed since the
 * round before, each with the transaction version R. So an output whose version is below R is
 * either due in the round and not committed, or stands at R because nothing of it has changed; the
 * checkpoint's list of due outputs tells the two apart. The newest checkpoint whose due outputs all
 * have exactly R in their history is the base: every output is loaded as of R. (That an output is
 * beyond R is not enough: it may have got there from below R, by a round that came after one that
 * broke off.) Behind it the journal's batches are replayed with their boundaries and their now();
 * an output that has some of them already, from a round that broke off, does not get them again.
 *
 * <p>With the journal lost, checkpoints of broken-off rounds stand in for it: their batches are
 * replayed as one, to the same positions, which brings each row to each output once. With the
 * checkpoints lost, the journal helps only if it goes back to batch 1. Where an output holds a
 * batch that neither knows, nothing can say which rows it has: that is refused.
 */
final class Recovery {
    /** The advice that always helps. */
    static final String REBUILD =
            "delete the pipeline's folder and the tables that it writes: they are then built again"
                    + " from the ingested tables";

    private final Path folder;
    private final Checkpoints.Found checkpoints;
    private final List<BatchRecord> journal;
    private final Map<TableName, OutputTable> outputs;

    /**
     * @param outputs of the plan
     */
    Recovery(
            Path folder,
            Checkpoints.Found checkpoints,
            List<BatchRecord> journal,
            Map<TableName, OutputTable> outputs) {
        this.folder = folder;
        this.checkpoints = checkpoints;
        this.journal = journal;
        this.outputs = outputs;
    }

    /**
     * Where to go on.
     *
     * @param base all outputs are to be loaded as of its batch
     * @param replay the batches to run again, in order, from the one after the base
     */
    record Point(Checkpoint base, List<BatchRecord> replay) {}

    /**
     * @throws LakemillException DATA_LOSS when the position cannot be told any more
     */
    Point point() {
        var base = Checkpoint.START;
        for (var checkpoint : checkpoints.whole().reversed()) {
            if (isComplete(checkpoint)) {
                base = checkpoint;
                break;
            }
        }
        var replay = replay(base);
        var newest = replay.isEmpty() ? base.number() : replay.getLast().number();
        for (var output : outputs.entrySet()) {
            var batch = output.getValue().committed().orElse(0);
            if (batch > newest) {
                throw lost(
                        "the table %s holds batch %d, but the pipeline's last known batch is %d"
                                .formatted(output.getKey(), batch, newest));
            }
        }
        return new Point(base, replay);
    }

    private List<BatchRecord> replay(Checkpoint base) {
        var replay = new ArrayList<BatchRecord>();
        var last = base.record();
        for (var batch : journal) {
            if (batch.number() > last.number()) {
                if (batch.number() != last.number() + 1) {
                    throw lost(
                            "the pipeline's journal goes on at batch %d behind batch %d"
                                    .formatted(batch.number(), last.number()));
                }
                replay.add(batch);
                last = batch;
            }
        }
        for (var checkpoint : checkpoints.whole()) {
            if (checkpoint.number() > last.number()) {
                for (long n = last.number() + 1; n < checkpoint.number(); n++) {
                    replay.add(new BatchRecord(n, last.now(), last.sources(), last.once()));
                }
                replay.add(checkpoint.record());
                last = checkpoint.record();
            }
        }
        return replay;
    }

    private boolean isComplete(Checkpoint checkpoint) {
        for (var due : checkpoint.due().entrySet()) {
            var output = outputs.get(due.getKey());
            // An output that the plan no longer has cannot hold a round back.
            if (output != null
                    && output.committedAt(checkpoint.number()).orElse(0) != due.getValue()) {
                return false;
            }
        }
        return true;
    }

    private LakemillException lost(String problem) {
        var damaged =
                checkpoints.damaged().isEmpty()
                        ? ""
                        : " (damaged: %s)".formatted(checkpoints.damaged());
        return new LakemillException(
                ErrorCode.DATA_LOSS,
                problem + damaged,
                "restore the folder " + folder + " from a backup; or " + REBUILD);
    }
}
