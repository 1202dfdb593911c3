package dev.lakemill.ingest;

/** The encoded rows of a request, and how many they are. */
record Payload(byte[] bytes, int rows) {}
