/** Durable agents over REST: their own API, and OpenAI's Responses. */
@NullMarked
package dev.lakemill.server.agents;

import org.jspecify.annotations.NullMarked;
