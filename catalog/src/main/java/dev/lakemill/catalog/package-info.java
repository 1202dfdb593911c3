/** Names, schemas and locations, kept in Postgres. */
@NullMarked
package dev.lakemill.catalog;

import org.jspecify.annotations.NullMarked;
