package dev.lakemill.catalog;

import dev.lakemill.types.TableName;
import java.util.List;
import java.util.Optional;

/**
 * Functions, row filters and column masks, kept in Postgres, answered from memory.
 *
 * <p>Setting a policy needs {@link Access#mayManage} on the table and EXECUTE on the function.
 * Everything is audited and raises {@link Access#version}. Safe to use from any thread.
 */
public final class Policies {
    public Optional<PolicyFunction> function(String name) {
        throw new UnsupportedOperationException();
    }

    public List<PolicyFunction> functions() {
        throw new UnsupportedOperationException();
    }

    /** Needs CREATE FUNCTION on the schema; replaces one that the caller may manage. */
    public void createFunction(Caller caller, PolicyFunction function, boolean replace) {
        throw new UnsupportedOperationException();
    }

    /** FAILED_PRECONDITION while a filter or mask uses it. */
    public void dropFunction(Caller caller, String name) {
        throw new UnsupportedOperationException();
    }

    public Optional<RowFilter> rowFilter(TableName table) {
        throw new UnsupportedOperationException();
    }

    public List<ColumnMask> masks(TableName table) {
        throw new UnsupportedOperationException();
    }

    /** INVALID_ARGUMENT when function and columns do not fit one another. */
    public void setRowFilter(Caller caller, RowFilter filter) {
        throw new UnsupportedOperationException();
    }

    public void dropRowFilter(Caller caller, TableName table) {
        throw new UnsupportedOperationException();
    }

    public void setMask(Caller caller, ColumnMask mask) {
        throw new UnsupportedOperationException();
    }

    public void dropMask(Caller caller, TableName table, String column) {
        throw new UnsupportedOperationException();
    }
}
