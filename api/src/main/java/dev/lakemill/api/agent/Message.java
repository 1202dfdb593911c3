package dev.lakemill.api.agent;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * What somebody sent a run that goes on.
 *
 * @param body as it was sent: data, which never picks tools or recipients
 * @param sender the principal that sent it
 */
public record Message(JsonNode body, String sender) {}
