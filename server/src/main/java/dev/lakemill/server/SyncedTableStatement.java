package dev.lakemill.server;

import dev.lakemill.types.TableName;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A statement about synced tables. */
sealed interface SyncedTableStatement {
    /** {@code CREATE [OR REPLACE] SYNCED TABLE [IF NOT EXISTS] …}. */
    record Create(
            TableName name,
            SyncedTableDefinition definition,
            boolean ifNotExists,
            boolean orReplace)
            implements SyncedTableStatement {}

    /** {@code ALTER SYNCED TABLE name SET (option = value, …)} and {@code ADD INDEX (columns)}. */
    record Alter(TableName name, Map<String, String> options, List<List<String>> newIndexes)
            implements SyncedTableStatement {}

    /** {@code DROP SYNCED TABLE [IF EXISTS] name}. */
    record Drop(TableName name, boolean ifExists) implements SyncedTableStatement {}

    /** {@code REFRESH SYNCED TABLE name}. */
    record Refresh(TableName name) implements SyncedTableStatement {}

    /** {@code SHOW SYNCED TABLES} and {@code DESCRIBE SYNCED TABLE name}. */
    record Show(Optional<TableName> name) implements SyncedTableStatement {}
}
