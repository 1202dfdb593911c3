package dev.lakemill.api.agent;

/**
 * What a model answered.
 *
 * @param value checked against its type
 * @param model that wrote it; {@code template} when the gateway has none
 */
public record Answer<T>(T value, String model) {}
