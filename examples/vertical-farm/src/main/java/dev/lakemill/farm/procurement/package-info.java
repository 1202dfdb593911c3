/**
 * Procurement: the state tables, the agents that work on them, and suppliers who answer, simulated
 * with a hidden truth.
 */
@NullMarked
package dev.lakemill.farm.procurement;

import org.jspecify.annotations.NullMarked;
