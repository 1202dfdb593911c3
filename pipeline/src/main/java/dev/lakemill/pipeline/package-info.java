/** Runs a plan on DuckDB. */
@NullMarked
package dev.lakemill.pipeline;

import org.jspecify.annotations.NullMarked;
