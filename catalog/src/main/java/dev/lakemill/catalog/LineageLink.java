package dev.lakemill.catalog;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A step of a walk through the lineage.
 *
 * @param source null when an entity brings the rows from outside
 * @param target null when an entity only reads
 * @param sourceColumn empty in the lineage of tables; so is {@code targetColumn}
 * @param time when it last flowed
 * @param depth 1 next to where the walk began
 */
public record LineageLink(
        @Nullable LineageNode source,
        String sourceColumn,
        @Nullable LineageNode target,
        String targetColumn,
        LineageEntity entity,
        String createdBy,
        Instant time,
        int depth) {}
