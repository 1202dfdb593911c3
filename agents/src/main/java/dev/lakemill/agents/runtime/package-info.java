/**
 * Durable agents: the journal of their runs in Postgres, people's approvals, what starts runs, and
 * the relay of their e-mail. The agents' own code runs elsewhere, see {@code
 * dev.lakemill.api.agent}.
 */
@NullMarked
package dev.lakemill.agents.runtime;

import org.jspecify.annotations.NullMarked;
