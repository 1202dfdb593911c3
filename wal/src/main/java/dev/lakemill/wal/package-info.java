/** The node's write-ahead log. */
@NullMarked
package dev.lakemill.wal;

import org.jspecify.annotations.NullMarked;
