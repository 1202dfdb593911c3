/**
 * The Model Context Protocol, server side: JSON-RPC over single HTTP requests, without sessions, in
 * the revisions 2026-07-28 and 2025-11-25.
 */
@NullMarked
package dev.lakemill.agents.mcp;

import org.jspecify.annotations.NullMarked;
