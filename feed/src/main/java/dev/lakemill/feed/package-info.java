/** Ordered row changes of a table with positions. */
@NullMarked
package dev.lakemill.feed;

import org.jspecify.annotations.NullMarked;
