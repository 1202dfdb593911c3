package dev.lakemill.identity;

import java.time.Instant;

/** A client secret without its text, which is told once, when it is made. */
public record ClientSecret(String id, Instant createdAt, Instant expiresAt) {}
