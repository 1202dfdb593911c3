@NullMarked
package dev.lakemill.server;

import org.jspecify.annotations.NullMarked;
