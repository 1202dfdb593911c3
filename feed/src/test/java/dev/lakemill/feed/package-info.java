/** Tests of the feeds, over real Delta tables. */
@NullMarked
package dev.lakemill.feed;

import org.jspecify.annotations.NullMarked;
