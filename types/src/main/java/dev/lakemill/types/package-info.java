/** The words: names, schemas, rows in Arrow's vectors, errors. */
@NullMarked
package dev.lakemill.types;

import org.jspecify.annotations.NullMarked;
