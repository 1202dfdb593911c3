@NullMarked
package dev.lakemill.catalog;

import org.jspecify.annotations.NullMarked;
