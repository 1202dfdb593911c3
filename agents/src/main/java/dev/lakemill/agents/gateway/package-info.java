/**
 * The model gateway: chat and embedding endpoints of the project, with who may call them, limits,
 * fallback, guardrails and a usage row for every call.
 */
@NullMarked
package dev.lakemill.agents.gateway;

import org.jspecify.annotations.NullMarked;
