/** SQL text to plan, by Spark Catalyst as a library, in a child JVM of its own. */
@NullMarked
package dev.lakemill.compiler;

import org.jspecify.annotations.NullMarked;
