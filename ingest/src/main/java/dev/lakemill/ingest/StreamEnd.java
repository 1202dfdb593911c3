package dev.lakemill.ingest;

import io.grpc.Metadata;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

/** How a stream ends once everything taken is acknowledged. */
record StreamEnd(Status status, Metadata trailers) {
    static StreamEnd of(Refusal refusal) {
        return new StreamEnd(refusal.status(), refusal.trailers());
    }

    @Nullable String error() {
        return status.isOk() ? null : status.getDescription();
    }
}
