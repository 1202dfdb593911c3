package dev.lakemill.pipeline;

import dev.lakemill.pipeline.Listing.Found;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.awscore.retry.AwsRetryStrategy;
import software.amazon.awssdk.core.checksums.RequestChecksumCalculation;
import software.amazon.awssdk.core.checksums.ResponseChecksumValidation;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.regions.providers.DefaultAwsRegionProviderChain;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.GetObjectRequest;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Request;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Response;
import software.amazon.awssdk.services.s3.model.S3Exception;
import software.amazon.awssdk.services.s3.model.S3Object;

/**
 * Objects of buckets, by the AWS SDK, whose client is made for the first request. One thread uses
 * it; any may close it.
 *
 * <p>Each request runs on a virtual thread of its own, since an interrupt takes such a one out of a
 * read from a silent socket: a request ends in time, and when the store is closed.
 */
final class ObjectStore implements AutoCloseable {
    private static final String SCHEME = "s3://";
    private static final int ATTEMPTS_MAX = 3;

    /** A request may take as long as all its attempts and the pauses between them. */
    private static final int SILENCES_MAX = 2 * ATTEMPTS_MAX;

    /** An object that comes more slowly is given up, and asked for again. */
    private static final long BYTES_PER_SECOND_MIN = 256 << 10;

    private static final int BUFFER_BYTES = 1 << 16;
    private static final int NOT_THERE = 404;
    private static final int CHANGED = 412;

    private final BucketConfig config;
    private @Nullable Connection connection;
    private @Nullable Thread running;
    private boolean closed;

    private record Connection(S3Client client, DefaultCredentialsProvider credentials) {
        void close() {
            client.close();
            credentials.close();
        }
    }

    ObjectStore(BucketConfig config) {
        this.config = config;
    }

    static String key(Found object) {
        return object.name().substring(object.name().indexOf('/', SCHEME.length()) + 1);
    }

    private static String bucket(Found object) {
        return object.name()
                .substring(SCHEME.length(), object.name().indexOf('/', SCHEME.length()));
    }

    /**
     * Tells of the objects whose keys begin with the prefix, page by page.
     *
     * @param isFlat whether keys with a slash behind the prefix are left out
     * @return how many there are
     */
    long list(String bucket, String prefix, boolean isFlat, Consumer<Found> each) {
        var request = ListObjectsV2Request.builder().bucket(bucket).prefix(prefix);
        if (isFlat) {
            request.delimiter("/");
        }
        long count = 0;
        ListObjectsV2Response page;
        do {
            page = page(bucket, request.build());
            page.contents().forEach(object -> each.accept(found(bucket, object)));
            count += page.contents().size();
            request.continuationToken(page.nextContinuationToken());
        } while (Boolean.TRUE.equals(page.isTruncated()) && page.nextContinuationToken() != null);
        return count;
    }

    /** The object with this very key. */
    Optional<Found> find(String bucket, String key) {
        var request = ListObjectsV2Request.builder().bucket(bucket).prefix(key).maxKeys(1).build();
        return page(bucket, request).contents().stream()
                .filter(object -> object.key().equals(key))
                .map(object -> found(bucket, object))
                .findFirst();
    }

    private ListObjectsV2Response page(String bucket, ListObjectsV2Request request) {
        return call(
                "%s%s/%s cannot be listed".formatted(SCHEME, bucket, request.prefix()),
                requestMax(),
                () -> client().listObjectsV2(request));
    }

    private static Found found(String bucket, S3Object object) {
        return new Found(
                SCHEME + bucket + "/" + object.key(),
                object.size(),
                object.lastModified().toEpochMilli(),
                object.eTag() == null ? "" : object.eTag());
    }

    /** Writes the object into a file; false when it is not there any more as it was found. */
    boolean copy(Found object, Path file) {
        var seconds = object.sizeBytes() / BYTES_PER_SECOND_MIN;
        return call(
                object.name() + " cannot be read",
                requestMax().plusSeconds(seconds),
                () -> write(object, file));
    }

    private boolean write(Found object, Path file) throws IOException {
        var request = GetObjectRequest.builder().bucket(bucket(object)).key(key(object));
        if (!object.tag().isEmpty()) {
            request.ifMatch(object.tag());
        }
        var isWhole = false;
        try (var in = client().getObject(request.build());
                var out = Files.newOutputStream(file)) {
            var buffer = new byte[BUFFER_BYTES];
            long bytes = 0;
            for (int n = in.read(buffer);
                    n >= 0 && bytes <= object.sizeBytes();
                    n = in.read(buffer)) {
                out.write(buffer, 0, n);
                bytes += n;
            }
            if (bytes != object.sizeBytes()) {
                in.abort();
                throw new IOException(
                        "it has %d bytes, not the %d that were listed"
                                .formatted(bytes, object.sizeBytes()));
            }
            isWhole = true;
            return true;
        } catch (S3Exception e) {
            if (e.statusCode() == CHANGED || isGone(e)) {
                return false;
            }
            throw e;
        } finally {
            if (!isWhole) {
                Files.deleteIfExists(file);
            }
        }
    }

    private static boolean isGone(S3Exception e) {
        return e.statusCode() == NOT_THERE && !code(e).equals("NoSuchBucket");
    }

    private Duration requestMax() {
        return config.silenceMax().multipliedBy(SILENCES_MAX);
    }

    private <T> T call(String failure, Duration max, Callable<T> work) {
        var task = new FutureTask<>(work);
        var thread = Thread.ofVirtual().name("bucket").unstarted(task);
        begin(thread);
        try {
            thread.start();
            return task.get(max.toNanos(), TimeUnit.NANOSECONDS);
        } catch (ExecutionException e) {
            throw problem(failure, e.getCause() == null ? e : e.getCause());
        } catch (TimeoutException _) {
            throw unreachable(failure, "no end within %d s".formatted(max.toSeconds()), null);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw unreachable(failure, "interrupted", e);
        } finally {
            thread.interrupt();
            end(thread);
        }
    }

    private synchronized void begin(Thread thread) {
        refuseClosed();
        running = thread;
    }

    /** The next request, which may write the same file, begins when this one is over. */
    private void end(Thread thread) {
        var interrupted = Thread.interrupted();
        try {
            thread.join(requestMax());
        } catch (InterruptedException _) {
            interrupted = true;
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        synchronized (this) {
            running = null;
        }
    }

    private void refuseClosed() {
        if (closed) {
            throw unavailable("the reading has ended", null);
        }
    }

    /** One request at a time asks for it. */
    private S3Client client() {
        var now = connection;
        if (now == null) {
            now = connect();
            synchronized (this) {
                refuseClosed();
                connection = now;
            }
        }
        return now.client();
    }

    private Connection connect() {
        var provider = DefaultCredentialsProvider.builder().build();
        try {
            var _ = provider.resolveCredentials();
        } catch (SdkClientException e) {
            provider.close();
            throw new LakemillException(
                    ErrorCode.UNAUTHENTICATED,
                    "no credentials for S3 are found",
                    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY for the node, or give it a"
                            + " profile in ~/.aws or a role",
                    e);
        }
        var store = config.store();
        var builder =
                S3Client.builder()
                        .credentialsProvider(provider)
                        .region(region())
                        .forcePathStyle(store.isPathStyle())
                        .httpClientBuilder(
                                UrlConnectionHttpClient.builder()
                                        .connectionTimeout(config.silenceMax())
                                        .socketTimeout(config.silenceMax()))
                        .overrideConfiguration(
                                o ->
                                        o.retryStrategy(
                                                AwsRetryStrategy.standardRetryStrategy().toBuilder()
                                                        .maxAttempts(ATTEMPTS_MAX)
                                                        .build()));
        if (!store.endpoint().isEmpty()) {
            builder.endpointOverride(URI.create(store.endpoint()))
                    // Which other stores may refuse.
                    .requestChecksumCalculation(RequestChecksumCalculation.WHEN_REQUIRED)
                    .responseChecksumValidation(ResponseChecksumValidation.WHEN_REQUIRED);
        }
        return new Connection(builder.build(), provider);
    }

    /** Other stores than AWS have no regions, or any. */
    private Region region() {
        var store = config.store();
        if (!store.region().isEmpty()) {
            return Region.of(store.region());
        }
        if (!store.endpoint().isEmpty()) {
            return Region.US_EAST_1;
        }
        try {
            return DefaultAwsRegionProviderChain.builder().build().getRegion();
        } catch (SdkClientException e) {
            throw new LakemillException(
                    ErrorCode.FAILED_PRECONDITION,
                    "nothing says in which region of AWS the buckets are",
                    "set s3.region, or s3.endpoint for another store than AWS",
                    e);
        }
    }

    private LakemillException problem(String failure, Throwable cause) {
        return switch (cause) {
            case LakemillException known ->
                    new LakemillException(
                            known.code(),
                            "%s: %s".formatted(failure, known.problem()),
                            known.hint(),
                            known);
            case S3Exception e -> refused(failure, e);
            default -> unreachable(failure, root(cause), cause);
        };
    }

    private LakemillException refused(String failure, S3Exception e) {
        var problem =
                "%s: %s answers %d %s".formatted(failure, endpoint(), e.statusCode(), code(e));
        return switch (e.statusCode()) {
            case 401, 403 ->
                    new LakemillException(
                            ErrorCode.PERMISSION_DENIED,
                            problem,
                            "give the node's credentials s3:ListBucket and s3:GetObject there",
                            e);
            case NOT_THERE ->
                    new LakemillException(
                            ErrorCode.NOT_FOUND,
                            problem,
                            "mend the bucket's name, or s3.endpoint",
                            e);
            case 301, 307, 400 ->
                    new LakemillException(
                            ErrorCode.FAILED_PRECONDITION,
                            problem,
                            "check that s3.region is the bucket's, and s3.path_style",
                            e);
            default -> unavailable(problem, e);
        };
    }

    private LakemillException unreachable(
            String failure, String reason, @Nullable Throwable cause) {
        return unavailable("%s: %s: %s".formatted(failure, endpoint(), reason), cause);
    }

    private static LakemillException unavailable(String problem, @Nullable Throwable cause) {
        var hint = "check s3.endpoint, the network and the disk's free space";
        return cause == null
                ? new LakemillException(ErrorCode.UNAVAILABLE, problem, hint)
                : new LakemillException(ErrorCode.UNAVAILABLE, problem, hint, cause);
    }

    private String endpoint() {
        return config.store().endpoint().isEmpty() ? "AWS" : config.store().endpoint();
    }

    private static String code(S3Exception e) {
        var details = e.awsErrorDetails();
        return details == null || details.errorCode() == null ? "" : details.errorCode();
    }

    /** The text of the first cause, which does not tell the same failure differently each time. */
    private static String root(Throwable cause) {
        var root = cause;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return "%s: %s".formatted(root.getClass().getSimpleName(), root.getMessage());
    }

    /** Ends a request that is under way. */
    @Override
    public synchronized void close() {
        closed = true;
        if (running != null) {
            running.interrupt();
        }
        if (connection != null) {
            connection.close();
        }
    }
}
