@NullMarked
package dev.lakemill.wal;

import org.jspecify.annotations.NullMarked;
