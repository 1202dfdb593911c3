/** The wire protocol and the Java producer client. */
@NullMarked
package dev.lakemill.api;

import org.jspecify.annotations.NullMarked;
