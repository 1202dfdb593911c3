package dev.lakemill.server;

import dev.lakemill.catalog.GovernanceStatement.Existing;
import dev.lakemill.plan.Fragment;
import dev.lakemill.plan.SourcePosition;
import dev.lakemill.types.TableName;
import java.util.List;
import java.util.Optional;

/** A statement about views of the lake. */
sealed interface ViewStatement {
    /**
     * {@code CREATE [OR REPLACE] VIEW [IF NOT EXISTS] name [(column [COMMENT 'text'], …)] [COMMENT
     * 'text'] AS query}.
     *
     * @param columns empty where they are called as the query calls them
     * @param columnsAt where they stand, or would
     */
    record Create(
            TableName name,
            List<Column> columns,
            SourcePosition columnsAt,
            String comment,
            Fragment text,
            Existing existing)
            implements ViewStatement {
        public Create {
            columns = List.copyOf(columns);
        }
    }

    /** A column of a list. */
    record Column(String name, String comment) {}

    /** {@code ALTER VIEW name AS query}. */
    record Alter(TableName name, Fragment text) implements ViewStatement {}

    /** {@code DROP VIEW [IF EXISTS] name}. */
    record Drop(TableName name, boolean ifExists) implements ViewStatement {}

    /**
     * {@code SHOW VIEWS [IN schema] [LIKE 'pattern']}.
     *
     * @param catalog empty for all
     * @param schema empty for all
     */
    record Show(Optional<String> catalog, Optional<String> schema, String like)
            implements ViewStatement {}
}
