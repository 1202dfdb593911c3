/** Changes of state tables, as Delta history and current-state tables. */
@NullMarked
package dev.lakemill.capture;

import org.jspecify.annotations.NullMarked;
