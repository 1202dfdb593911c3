package dev.lakemill.plan;

import dev.lakemill.types.TableName;
import java.util.List;

/**
 * {@code CREATE SYNCED TABLE name FROM source PRIMARY KEY (…) [INDEX (…)]…}: a read-only Postgres
 * copy of a dataset of the pipeline, at {@code name.schema().name.table()} of the database.
 */
public record SyncedTable(
        TableName name,
        TableName source,
        List<String> primaryKey,
        List<List<String>> indexes,
        SourcePosition position) {}
