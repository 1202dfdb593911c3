@NullMarked
package dev.lakemill.server.backup;

import org.jspecify.annotations.NullMarked;
