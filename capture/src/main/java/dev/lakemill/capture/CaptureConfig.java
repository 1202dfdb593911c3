package dev.lakemill.capture;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;

/**
 * What is captured, and how.
 *
 * @param slot name of the replication slot and its publication: {@code lakemill_}, then lower-case
 *     letters, digits and underscores
 * @param schemas of Postgres whose tables are captured; those that are not there yet are waited for
 * @param commitEvery between commits to Delta while there are changes
 * @param pendingBytesMax of changes in memory; a commit comes early, or, for one transaction that
 *     is larger, its tables are compared with Postgres instead
 */
public record CaptureConfig(
        String slot, List<String> schemas, Duration commitEvery, long pendingBytesMax) {
    private static final Pattern SLOT = Pattern.compile("lakemill_[a-z0-9_]{1,50}");
    private static final long PENDING_BYTES_MAX = 64L << 20;

    public CaptureConfig {
        schemas = List.copyOf(schemas);
        if (!SLOT.matcher(slot).matches()) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "'%s' is not a name for a replication slot".formatted(slot),
                    "lakemill_ and up to 50 lower-case letters, digits and underscores");
        }
        for (var schema : schemas) {
            if (!schema.matches("[A-Za-z_][A-Za-z0-9_]*")
                    || schema.startsWith("pg_")
                    || schema.equals("lakemill")
                    || schema.equals("information_schema")) {
                throw new LakemillException(
                        ErrorCode.INVALID_ARGUMENT,
                        "the schema %s cannot be captured".formatted(schema),
                        "name schemas of applications");
            }
        }
    }

    /** Of a node, everything else as usual. */
    public static CaptureConfig of(String node, List<String> schemas) {
        var name = node.toLowerCase(java.util.Locale.ROOT).replaceAll("[^a-z0-9_]", "_");
        return new CaptureConfig(
                "lakemill_" + name.substring(0, Math.min(50, name.length())),
                schemas,
                Duration.ofSeconds(1),
                PENDING_BYTES_MAX);
    }

    String publication() {
        return slot;
    }

    /** Of the commands that change tables. */
    String ddlPublication() {
        return slot + "_ddl";
    }
}
