package dev.lakemill.plan;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.util.regex.Pattern;

/**
 * A path in a bucket: {@code s3://bucket/key}, also written {@code s3a://bucket/key}.
 *
 * @param key of an object, the beginning of keys up to a slash, or a pattern of keys; empty for the
 *     whole bucket; without a slash at its ends
 */
public record BucketPath(String bucket, String key) {
    private static final Pattern SCHEME = Pattern.compile("s3a?://.*", Pattern.DOTALL);
    private static final Pattern FORM =
            Pattern.compile(
                    "s3a?://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/+(.*?)/*)?", Pattern.DOTALL);

    public static boolean isOne(String path) {
        return SCHEME.matcher(path).matches();
    }

    /**
     * @throws LakemillException INVALID_ARGUMENT for a path that names no bucket
     */
    public static BucketPath parse(String path) {
        var form = FORM.matcher(path);
        if (!form.matches()) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "'%s' names no bucket".formatted(path),
                    "write s3://bucket/folder; a bucket's name has 3 to 63 of a-z 0-9 . -");
        }
        return new BucketPath(form.group(1), form.group(2) == null ? "" : form.group(2));
    }

    @Override
    public String toString() {
        return "s3://" + bucket + "/" + key;
    }
}
