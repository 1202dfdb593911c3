@NullMarked
package dev.lakemill.identity;

import org.jspecify.annotations.NullMarked;
