/** Delta tables at a location. */
@NullMarked
package dev.lakemill.delta;

import org.jspecify.annotations.NullMarked;
