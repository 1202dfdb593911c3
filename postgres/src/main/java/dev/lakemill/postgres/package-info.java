/** Launches Postgres and owns its roles. */
@NullMarked
package dev.lakemill.postgres;

import org.jspecify.annotations.NullMarked;
