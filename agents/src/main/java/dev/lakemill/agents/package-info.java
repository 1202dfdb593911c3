/**
 * Models and those who use them: the model gateway, durable agents with their journal in Postgres,
 * people's approvals, and MCP.
 */
@NullMarked
package dev.lakemill.agents;

import org.jspecify.annotations.NullMarked;
