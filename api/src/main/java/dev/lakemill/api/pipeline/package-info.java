/** A pipeline written in Java: annotated methods that return SQL, and functions for it. */
@NullMarked
package dev.lakemill.api.pipeline;

import org.jspecify.annotations.NullMarked;
