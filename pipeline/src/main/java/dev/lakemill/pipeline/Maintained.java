package dev.lakemill.pipeline;

import dev.lakemill.plan.Relation;
import java.util.List;
import java.util.Optional;

/**
 * A part of a view's query that knows how it changes when its inputs do.
 *
 * <p>Changes are rows with a weight of 1 (came) or -1 (went); added up they are the difference
 * between the part's rows after the batch and before it, as multisets. A row may come and go in one
 * batch. This is the calculus of Larson and Zhou ("Efficient maintenance of materialized outer-join
 * views", 2007) and of DBSP (Budiu et al., 2023), with one rule of our own: nothing reads the rows
 * before the batch, since they are the rows after it less the changes.
 */
interface Maintained {
    /** Its rows with the running batch, to be read after {@link #changes}. */
    Relation now();

    /**
     * Its changes in the running batch: the columns of {@link #now} and {@link
     * MaintenanceSql#WEIGHT}; empty when there are none. Called once a batch.
     */
    Optional<Relation> changes(MaintenanceSql sql);

    /** The parts whose changes it reads. */
    List<Maintained> inputs();

    /** Makes what it keeps between batches anew, of its inputs as they are; they come first. */
    default void build(MaintenanceSql sql) {}

    /** How it follows its inputs. */
    MaintenanceKind kind();

    /** {@link #build} of this and everything below. */
    static void buildAll(Maintained part, MaintenanceSql sql) {
        part.inputs().forEach(input -> buildAll(input, sql));
        part.build(sql);
    }
}
