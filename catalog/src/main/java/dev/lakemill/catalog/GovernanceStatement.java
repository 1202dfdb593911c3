package dev.lakemill.catalog;

import dev.lakemill.plan.Fragment;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.PrincipalKind;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.TableName;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** A statement about the catalog itself, in Databricks' syntax, read but not yet done. */
public sealed interface GovernanceStatement {
    /** {@code GRANT privileges ON securable TO principal}. */
    record GrantPrivileges(Set<Privilege> privileges, Securable on, String principal)
            implements GovernanceStatement {
        public GrantPrivileges {
            privileges = Set.copyOf(privileges);
        }
    }

    /** {@code REVOKE privileges ON securable FROM principal}. */
    record RevokePrivileges(Set<Privilege> privileges, Securable on, String principal)
            implements GovernanceStatement {
        public RevokePrivileges {
            privileges = Set.copyOf(privileges);
        }
    }

    /** {@code SHOW GRANTS [principal] [ON securable]}; at least one of the two is there. */
    record ShowGrants(Optional<String> principal, Optional<Securable> on)
            implements GovernanceStatement {}

    /** {@code ALTER securable [SET] OWNER TO principal}. */
    record SetOwner(Securable on, String owner) implements GovernanceStatement {}

    /** {@code ALTER TABLE table SET ROW FILTER function ON (columns)}. */
    record SetRowFilter(RowFilter filter) implements GovernanceStatement {}

    /** {@code ALTER TABLE table DROP ROW FILTER}. */
    record DropRowFilter(TableName table) implements GovernanceStatement {}

    /** {@code ALTER TABLE table ALTER COLUMN column SET MASK function [USING COLUMNS (…)]}. */
    record SetMask(ColumnMask mask) implements GovernanceStatement {}

    /** {@code ALTER TABLE table ALTER COLUMN column DROP MASK}. */
    record DropMask(TableName table, String column) implements GovernanceStatement {}

    /**
     * {@code ALTER securable [ALTER COLUMN column] SET TAGS ('key' = 'value', …)}.
     *
     * @param column empty for the securable itself
     */
    record SetTags(Securable on, String column, Map<String, String> tags)
            implements GovernanceStatement {
        public SetTags {
            tags = Map.copyOf(tags);
        }
    }

    /**
     * {@code ALTER securable [ALTER COLUMN column] UNSET TAGS ('key', …)}.
     *
     * @param column empty for the securable itself
     */
    record UnsetTags(Securable on, String column, Set<String> keys) implements GovernanceStatement {
        public UnsetTags {
            keys = Set.copyOf(keys);
        }
    }

    /**
     * {@code COMMENT ON securable IS 'text'}.
     *
     * @param column empty for the securable itself
     * @param text empty where the statement says NULL
     */
    record Comment(Securable on, String column, String text) implements GovernanceStatement {}

    /**
     * {@code CREATE [OR REPLACE] FUNCTION name (parameters) RETURNS type RETURN body}.
     *
     * @param body an expression, still text
     */
    record CreateFunction(
            String name,
            List<Column> parameters,
            DataType returns,
            String comment,
            Fragment body,
            Existing existing)
            implements GovernanceStatement {
        public CreateFunction {
            parameters = List.copyOf(parameters);
        }
    }

    /** What becomes of a thing of the same name. */
    enum Existing {
        /** The statement fails. */
        FAILS,
        /** {@code OR REPLACE}. */
        REPLACED,
        /** {@code IF NOT EXISTS}. */
        STAYS
    }

    /** {@code CREATE CATALOG} or {@code CREATE SCHEMA}. */
    record Create(Securable securable, String comment, Existing existing)
            implements GovernanceStatement {}

    /** {@code CREATE USER | SERVICE PRINCIPAL | GROUP [IF NOT EXISTS] name}. */
    record CreatePrincipal(PrincipalKind kind, String name, Existing existing)
            implements GovernanceStatement {}

    /** {@code DROP USER | SERVICE PRINCIPAL | GROUP [IF EXISTS] name}. */
    record DropPrincipal(PrincipalKind kind, String name, boolean ifExists)
            implements GovernanceStatement {}

    /** {@code ALTER GROUP group ADD | DROP USER | SERVICE PRINCIPAL | GROUP member, …}. */
    record ChangeMembers(String group, boolean add, List<String> members)
            implements GovernanceStatement {
        public ChangeMembers {
            members = List.copyOf(members);
        }
    }

    /** {@code DROP CATALOG}, {@code DROP SCHEMA} or {@code DROP FUNCTION}. */
    record Drop(Securable securable, boolean ifExists, boolean cascade)
            implements GovernanceStatement {}

    /**
     * {@code SHOW CATALOGS}, {@code SHOW TABLES IN schema} and the like.
     *
     * @param in a catalog or schema; empty for what lies in none
     * @param like a pattern in which * stands for any text and | for or; empty for all
     */
    record Show(Kind kind, Optional<Securable> in, String like) implements GovernanceStatement {}

    /** What SHOW lists. */
    enum Kind {
        CATALOGS,
        SCHEMAS,
        TABLES,
        FUNCTIONS,
        GROUPS,
        USERS
    }

    /** {@code DESCRIBE TABLE [EXTENDED] table}. */
    record Describe(TableName table, boolean extended) implements GovernanceStatement {}
}
