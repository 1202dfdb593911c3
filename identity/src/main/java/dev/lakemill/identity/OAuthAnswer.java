package dev.lakemill.identity;

import java.util.Map;

/** What an OAuth endpoint answers: a JSON body, never to be cached. */
public record OAuthAnswer(int status, Map<String, String> headers, Map<String, Object> body) {}
