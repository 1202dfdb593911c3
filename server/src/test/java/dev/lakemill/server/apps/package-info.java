@NullMarked
package dev.lakemill.server.apps;

import org.jspecify.annotations.NullMarked;
