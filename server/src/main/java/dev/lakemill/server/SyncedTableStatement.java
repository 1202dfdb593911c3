package dev.lakemill.server;

import dev.lakemill.types.TableName;
import java.util.Optional;
import java.util.function.UnaryOperator;

/** A statement about synced tables. */
sealed interface SyncedTableStatement {
    /** {@code CREATE [OR REPLACE] SYNCED TABLE [IF NOT EXISTS] …}. */
    record Create(
            TableName name,
            SyncedTableDefinition definition,
            boolean ifNotExists,
            boolean orReplace)
            implements SyncedTableStatement {}

    /**
     * {@code ALTER SYNCED TABLE name} with {@code SET (option = value, …)}, {@code ADD INDEX …},
     * {@code ADD COLUMN …}, {@code DROP INDEX …} or {@code DROP COLUMN …}.
     */
    record Alter(TableName name, UnaryOperator<SyncedTableDefinition> change)
            implements SyncedTableStatement {}

    /** {@code DROP SYNCED TABLE [IF EXISTS] name}. */
    record Drop(TableName name, boolean ifExists) implements SyncedTableStatement {}

    /** {@code REFRESH SYNCED TABLE name}. */
    record Refresh(TableName name) implements SyncedTableStatement {}

    /** {@code SHOW SYNCED TABLES} and {@code DESCRIBE SYNCED TABLE name}. */
    record Show(Optional<TableName> name) implements SyncedTableStatement {}
}
