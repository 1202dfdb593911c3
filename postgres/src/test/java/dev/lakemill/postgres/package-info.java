@NullMarked
package dev.lakemill.postgres;

import org.jspecify.annotations.NullMarked;
