/** The typed plan of a pipeline, as sealed records and JSON. */
@NullMarked
package dev.lakemill.plan;

import org.jspecify.annotations.NullMarked;
