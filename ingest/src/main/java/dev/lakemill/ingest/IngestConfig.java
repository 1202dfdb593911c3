package dev.lakemill.ingest;

import dev.lakemill.wal.LogConfig;

/**
 * How a node takes rows.
 *
 * @param node its name; part of the transaction id in Delta, so it must never change for a log
 */
public record IngestConfig(String node, LogConfig log, LandingConfig landing, GrpcConfig grpc) {

    public static IngestConfig of(String node) {
        return new IngestConfig(node, LogConfig.DEFAULT, LandingConfig.DEFAULT, GrpcConfig.DEFAULT);
    }

    /** The Delta application whose transaction version is the log position that a table has. */
    public String application() {
        return application(node);
    }

    /** As {@link #application()}, for who makes the feeds before there is a configuration. */
    public static String application(String node) {
        return "lakemill-log/" + node;
    }

    public IngestConfig withLog(LogConfig newLog) {
        return new IngestConfig(node, newLog, landing, grpc);
    }

    public IngestConfig withLanding(LandingConfig newLanding) {
        return new IngestConfig(node, log, newLanding, grpc);
    }

    public IngestConfig withGrpc(GrpcConfig newGrpc) {
        return new IngestConfig(node, log, landing, newGrpc);
    }
}
