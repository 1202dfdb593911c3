package dev.lakemill.plan;

import dev.lakemill.types.DataType;

/**
 * A column that a relation gives out.
 *
 * @param id unique within one query, so that two columns of one name stay apart; a subquery sees
 *     the ids of the query round it
 * @param name as the user wrote it; for messages and, at the top of a query, for the result
 */
public record Attribute(int id, String name, DataType type, boolean nullable) {}
