@NullMarked
package dev.lakemill.sync;

import org.jspecify.annotations.NullMarked;
