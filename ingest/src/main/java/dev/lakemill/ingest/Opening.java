package dev.lakemill.ingest;

import io.grpc.Attributes;
import io.grpc.Grpc;
import io.grpc.Metadata;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * What is known of a stream before its first message.
 *
 * @param table the header that names it; null when it is absent
 * @param authorization the header with the token; null when it is absent
 */
record Opening(@Nullable String table, @Nullable String authorization, String address) {
    static final String TABLE_HEADER = "x-databricks-zerobus-table-name";

    private static final Metadata.Key<String> TABLE =
            Metadata.Key.of(TABLE_HEADER, Metadata.ASCII_STRING_MARSHALLER);
    private static final Metadata.Key<String> AUTHORIZATION =
            Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

    static Opening of(Metadata headers, Attributes transport) {
        var peer = transport.get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR);
        return new Opening(
                headers.get(TABLE),
                headers.get(AUTHORIZATION),
                peer instanceof InetSocketAddress inet
                        ? inet.getAddress().getHostAddress()
                        : String.valueOf(peer));
    }
}
