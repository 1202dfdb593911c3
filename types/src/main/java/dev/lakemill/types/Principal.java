package dev.lakemill.types;

import java.util.Objects;
import java.util.UUID;

/**
 * Who may be granted something: a user, a service principal or a group.
 *
 * @param id never changes and is never used again
 * @param name what grants, audit and Postgres roles show: a user's name or e-mail, a service
 *     principal's or a group's name; unique among all principals without regard to case, at most 63
 *     bytes of UTF-8, so that a Postgres role can bear it whole
 */
public record Principal(UUID id, PrincipalKind kind, String name) {
    public Principal {
        Objects.requireNonNull(id, "id is null");
        Objects.requireNonNull(kind, "kind is null");
        Objects.requireNonNull(name, "name is null");
    }
}
