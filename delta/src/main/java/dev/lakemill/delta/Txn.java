package dev.lakemill.delta;

import java.util.Map;

/**
 * What makes a commit exactly-once: Delta refuses a version of the same application that is not
 * above the last one.
 *
 * @param also versions of other applications that are written down with the commit, whatever they
 *     were before
 */
public record Txn(String application, long version, Map<String, Long> also) {
    public Txn {
        also = Map.copyOf(also);
    }

    public Txn(String application, long version) {
        this(application, version, Map.of());
    }
}
