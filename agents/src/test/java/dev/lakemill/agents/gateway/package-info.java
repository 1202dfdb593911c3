@NullMarked
package dev.lakemill.agents.gateway;

import org.jspecify.annotations.NullMarked;
