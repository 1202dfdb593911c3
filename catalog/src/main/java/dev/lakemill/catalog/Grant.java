package dev.lakemill.catalog;

import dev.lakemill.types.Principal;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;

/** A privilege of a principal on a securable, as it was granted there. */
public record Grant(Principal principal, Privilege privilege, Securable on) {}
