package dev.lakemill.server;

import dev.lakemill.ingest.Ingest;
import dev.lakemill.ingest.InsertRequest;
import dev.lakemill.ingest.ProducerAccess;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.RoutingContext;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Map;
import java.util.UUID;
import java.util.zip.GZIPInputStream;
import org.jspecify.annotations.Nullable;

/**
 * Rows over REST, as Zerobus takes them: {@code POST /zerobus/v1/tables/{table}/insert} with a JSON
 * array or NDJSON, plain or gzip. 200 means that all rows are on disk; anything else, that none is
 * acknowledged.
 */
final class InsertRoutes {
    private static final String RETRY_SECONDS = "1";

    private final Ingest ingest;
    private final ProducerAccess producers;

    private InsertRoutes(Ingest ingest, ProducerAccess producers) {
        this.ingest = ingest;
        this.producers = producers;
    }

    /** Takes tokens of producers that are narrowed, too; what they are for is checked by ingest. */
    static void mount(Routes routes, Ingest ingest, ProducerAccess producers) {
        var mine = new InsertRoutes(ingest, producers);
        // A body beyond the limit is still read up to here, so that its sender is told.
        var bytesMax = 2L * Ingest.REQUEST_BYTES_MAX;
        routes.withErrors((_, failure) -> error(failure))
                .secured(
                        HttpMethod.POST,
                        "/zerobus/v1/tables/:table/insert",
                        bytesMax,
                        mine::admit,
                        mine::insert);
    }

    private void admit(RoutingContext context) {
        try {
            producers.authenticate(
                    "rest", authorization(context), address(context), UUID.randomUUID());
        } catch (LakemillException e) {
            throw told(context, e);
        }
    }

    private Object insert(RoutingContext context) {
        try {
            var rows =
                    ingest.insert(
                            new InsertRequest(
                                    context.pathParam("table"),
                                    authorization(context),
                                    address(context),
                                    body(context)));
            return Map.of("rows", rows);
        } catch (LakemillException e) {
            throw told(context, e);
        }
    }

    private static @Nullable String authorization(RoutingContext context) {
        return context.request().getHeader("authorization");
    }

    private static String address(RoutingContext context) {
        return HttpAuthentication.peer(context).address();
    }

    private static byte[] body(RoutingContext context) {
        var bytes = Bodies.of(context).getBytes();
        var encoding = context.request().getHeader("content-encoding");
        if (encoding == null || encoding.equalsIgnoreCase("identity")) {
            return bytes;
        }
        if (!encoding.equalsIgnoreCase("gzip")) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "the content-encoding is '%s'".formatted(encoding),
                    "send the rows plain, or as gzip");
        }
        try (var plain = new GZIPInputStream(new ByteArrayInputStream(bytes))) {
            // One byte more than allowed is refused by its size, without unpacking the rest.
            return plain.readNBytes(Ingest.REQUEST_BYTES_MAX + 1);
        } catch (IOException e) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "the body is not gzip: " + e.getMessage(),
                    "send what gzip wrote, or leave content-encoding out",
                    e);
        }
    }

    /** By the headers that go with it. */
    private static LakemillException told(RoutingContext context, LakemillException failure) {
        var response = context.response();
        switch (failure.code()) {
            case RESOURCE_EXHAUSTED, UNAVAILABLE ->
                    response.putHeader("retry-after", RETRY_SECONDS);
            case UNAUTHENTICATED ->
                    response.putHeader("www-authenticate", "Bearer realm=\"lakemill\"");
            default -> {}
        }
        return failure;
    }

    private static Object error(LakemillException failure) {
        return Map.of("error_code", code(failure.code()), "message", failure.getMessage());
    }

    /** Zerobus' words, which are Databricks'. */
    private static String code(ErrorCode code) {
        return switch (code) {
            case INVALID_ARGUMENT -> "INVALID_PARAMETER_VALUE";
            case UNIMPLEMENTED -> "NOT_IMPLEMENTED";
            case UNAVAILABLE -> "TEMPORARILY_UNAVAILABLE";
            case INTERNAL -> "INTERNAL_ERROR";
            default -> code.name();
        };
    }
}
