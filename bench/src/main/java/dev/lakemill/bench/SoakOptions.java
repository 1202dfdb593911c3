package dev.lakemill.bench;

import picocli.CommandLine.Option;

/** What the soak is told. */
final class SoakOptions {
    @Option(
            names = "--streams",
            paramLabel = "N",
            defaultValue = "2000",
            description = "streams open at once (default: ${DEFAULT-VALUE})")
    private int streams;

    @Option(
            names = "--seconds",
            paramLabel = "N",
            defaultValue = "30",
            description = "of streams, and of visible (default: ${DEFAULT-VALUE})")
    private int seconds;

    @Option(
            names = "--minutes",
            paramLabel = "N",
            defaultValue = "10",
            description = "of steady (default: ${DEFAULT-VALUE})")
    private int minutes;

    @Option(names = "--no-streams", description = "leave the part streams out")
    private boolean noStreams;

    @Option(names = "--no-visible", description = "leave the part visible out")
    private boolean noVisible;

    @Option(names = "--no-steady", description = "leave the part steady out")
    private boolean noSteady;

    int streams() {
        return streams;
    }

    int seconds() {
        return seconds;
    }

    int minutes() {
        return minutes;
    }

    boolean runsStreams() {
        return !noStreams;
    }

    boolean runsVisible() {
        return !noVisible;
    }

    boolean runsSteady() {
        return !noSteady;
    }
}
