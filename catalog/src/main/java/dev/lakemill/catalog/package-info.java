/** Names, schemas and locations, and who may do what to anything, kept in Postgres. */
@NullMarked
package dev.lakemill.catalog;

import org.jspecify.annotations.NullMarked;
