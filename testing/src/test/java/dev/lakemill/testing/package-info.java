/** Checks that hold over all modules. */
@NullMarked
package dev.lakemill.testing;

import org.jspecify.annotations.NullMarked;
