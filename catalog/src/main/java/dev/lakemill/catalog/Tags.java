package dev.lakemill.catalog;

import dev.lakemill.types.Securable;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Tags, kept in Postgres, answered from memory. Changing them needs APPLY TAG. Audited. */
public final class Tags {
    public List<Tag> on(Securable securable) {
        throw new UnsupportedOperationException();
    }

    public List<Tag> all() {
        throw new UnsupportedOperationException();
    }

    /**
     * @param column empty for the securable itself
     */
    public void set(Caller caller, Securable on, String column, Map<String, String> tags) {
        throw new UnsupportedOperationException();
    }

    public void unset(Caller caller, Securable on, String column, Set<String> keys) {
        throw new UnsupportedOperationException();
    }
}
