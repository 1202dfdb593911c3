package dev.lakemill.server.rest;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Privilege;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/** What a client will do with the files that it asks for. */
record Operation(boolean write) {
    private static final Duration VALID = Duration.ofHours(1);

    static Operation of(String name) {
        return switch (name) {
            case "READ", "PATH_READ", "READ_VOLUME", "READ_MODEL_VERSION" -> new Operation(false);
            case "READ_WRITE", "PATH_READ_WRITE", "WRITE_VOLUME", "READ_WRITE_MODEL_VERSION" ->
                    new Operation(true);
            default ->
                    throw new LakemillException(
                            ErrorCode.INVALID_ARGUMENT,
                            "'%s' is not an operation".formatted(name),
                            "openapi.yaml lists those that there are");
        };
    }

    static List<Privilege> onPath(boolean write) {
        return write
                ? List.of(Privilege.READ_FILES, Privilege.WRITE_FILES)
                : List.of(Privilege.READ_FILES);
    }

    /** A file needs no key, and other places this node has none for. */
    static String requireFile(String location) {
        if (!Locations.isFile(location)) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "this node has no keys for " + location,
                    "give the client its own; the catalog knows the place");
        }
        return location;
    }

    static long expiration() {
        return Instant.now().plus(VALID).toEpochMilli();
    }
}
