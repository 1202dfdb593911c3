package dev.lakemill.pipeline;

import java.time.Duration;

/**
 * How buckets are read.
 *
 * @param objectBytesMax of one object; a larger one is left where it is
 * @param listPause between two lists of a source's objects
 * @param silenceMax how long a connection may be without a byte
 */
public record BucketConfig(
        Store store, long objectBytesMax, Duration listPause, Duration silenceMax) {
    public static final BucketConfig DEFAULT =
            new BucketConfig(
                    new Store("", "", false),
                    1L << 30,
                    Duration.ofSeconds(10),
                    Duration.ofSeconds(10));

    /**
     * Where they are.
     *
     * @param endpoint URL of a store that speaks S3; empty for AWS
     * @param region empty for the one that the SDK finds
     * @param isPathStyle whether a bucket stands in the path of URLs, not in the host's name
     */
    public record Store(String endpoint, String region, boolean isPathStyle) {}
}
