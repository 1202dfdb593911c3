/** Zerobus-compatible gRPC into the log and Bronze. */
@NullMarked
package dev.lakemill.ingest;

import org.jspecify.annotations.NullMarked;
