/** Lifts an application's database from another Postgres into state tables. */
@org.jspecify.annotations.NullMarked
package dev.lakemill.postgres.imports;
