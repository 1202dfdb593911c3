package dev.lakemill.server;

import dev.lakemill.ingest.Ingest;
import dev.lakemill.ingest.InsertRequest;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.RoutingContext;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Map;
import java.util.zip.GZIPInputStream;

/**
 * Rows over REST, as Zerobus takes them: {@code POST /zerobus/v1/tables/{table}/insert} with a JSON
 * array or NDJSON, plain or gzip. 200 means that all rows are on disk; anything else, that none is
 * acknowledged.
 */
final class InsertRoutes {
    private static final String RETRY_SECONDS = "1";

    private final Ingest ingest;

    private InsertRoutes(Ingest ingest) {
        this.ingest = ingest;
    }

    /** The token is checked by ingest, which takes those of producers that are narrowed, too. */
    static void mount(Routes routes, Ingest ingest) {
        var insert = new InsertRoutes(ingest);
        // A body beyond the limit is still read up to here, so that its sender is told.
        var bytesMax = 2L * Ingest.REQUEST_BYTES_MAX;
        routes.large(HttpMethod.POST, "/zerobus/v1/tables/:table/insert", bytesMax, insert::insert);
    }

    private Object insert(RoutingContext context) {
        try {
            var rows =
                    ingest.insert(
                            new InsertRequest(
                                    context.pathParam("table"),
                                    context.request().getHeader("authorization"),
                                    HttpAuthentication.peer(context).address(),
                                    body(context)));
            return Map.of("rows", rows);
        } catch (LakemillException e) {
            return refusal(e);
        }
    }

    private static byte[] body(RoutingContext context) {
        var buffer = context.body().buffer();
        var bytes = buffer == null ? new byte[0] : buffer.getBytes();
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

    private static Routes.Reply refusal(LakemillException failure) {
        var headers =
                switch (failure.code()) {
                    case RESOURCE_EXHAUSTED, UNAVAILABLE -> Map.of("retry-after", RETRY_SECONDS);
                    case UNAUTHENTICATED -> Map.of("www-authenticate", "Bearer realm=\"lakemill\"");
                    default -> Map.<String, String>of();
                };
        return new Routes.Reply(
                Routes.status(failure.code()),
                headers,
                Map.of("error_code", code(failure.code()), "message", failure.getMessage()));
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
