/** Durable agents in Java: what they are written against, and the worker that runs them. */
@NullMarked
package dev.lakemill.api.agent;

import org.jspecify.annotations.NullMarked;
