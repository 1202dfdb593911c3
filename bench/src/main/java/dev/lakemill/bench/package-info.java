/** Measurements, the demo and its verification; not shipped. */
@NullMarked
package dev.lakemill.bench;

import org.jspecify.annotations.NullMarked;
