package dev.lakemill.identity;

import java.time.Instant;

/** A token that somebody made for a use of their own, without its text. */
public record PersonalToken(String id, String comment, Instant createdAt, Instant expiresAt) {}
