@NullMarked
package dev.lakemill.agents.runtime;

import org.jspecify.annotations.NullMarked;
