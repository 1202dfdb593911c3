/** Synced tables: a feed into Postgres. */
@NullMarked
package dev.lakemill.sync;

import org.jspecify.annotations.NullMarked;
