/** Tests of what the benches are made of. */
@NullMarked
package dev.lakemill.bench;

import org.jspecify.annotations.NullMarked;
