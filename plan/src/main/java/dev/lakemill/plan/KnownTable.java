package dev.lakemill.plan;

import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;

/**
 * A Delta table that a pipeline may read though its text does not declare it.
 *
 * @param location the table's folder
 */
public record KnownTable(TableName name, TableSchema schema, String location) {}
