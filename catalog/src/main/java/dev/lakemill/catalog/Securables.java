package dev.lakemill.catalog;

import dev.lakemill.types.Securable;
import dev.lakemill.types.SecurableType;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * Everything that privileges are granted on, kept in Postgres, answered from memory.
 *
 * <p>Creating needs the CREATE privilege of its kind on the parent and makes the caller the owner;
 * updating and dropping need {@link Access#mayManage}. Tables are made through {@link Catalog}. All
 * changes are audited. Safe to use from any thread.
 */
public final class Securables {
    public Optional<SecurableInfo> find(Securable securable) {
        throw new UnsupportedOperationException();
    }

    public Optional<SecurableInfo> find(UUID id) {
        throw new UnsupportedOperationException();
    }

    /** Children of one kind, by name. */
    public List<SecurableInfo> list(Securable parent, SecurableType type) {
        throw new UnsupportedOperationException();
    }

    /** ALREADY_EXISTS, NOT_FOUND for the parent, PERMISSION_DENIED. */
    public SecurableInfo create(
            Caller caller,
            Securable securable,
            String comment,
            Map<String, String> properties,
            String location) {
        throw new UnsupportedOperationException();
    }

    public SecurableInfo update(
            Caller caller, Securable securable, String comment, Map<String, String> properties) {
        throw new UnsupportedOperationException();
    }

    /** Takes grants, policies, tags and children along. */
    public SecurableInfo rename(Caller caller, Securable securable, String newName) {
        throw new UnsupportedOperationException();
    }

    /** FAILED_PRECONDITION while it has children, unless forced. */
    public void drop(Caller caller, Securable securable, boolean force) {
        throw new UnsupportedOperationException();
    }
}
