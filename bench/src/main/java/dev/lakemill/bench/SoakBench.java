package dev.lakemill.bench;

import org.apache.arrow.memory.RootAllocator;

/**
 * What ingest owes over time: many streams that send little ({@link SoakStreams}), how soon a
 * reader of Delta sees what was acknowledged ({@link SoakVisible}), and whether a high rate stays
 * as quick as it began ({@link SoakSteady}). Each has a server of its own; the clients are here.
 */
final class SoakBench {
    private SoakBench() {}

    /** A measurement on a server that nobody has used. */
    private interface Part {
        void run(SoakNode node, SoakOptions options, Report.Builder report) throws Exception;
    }

    static Report run(SoakOptions options) throws Exception {
        var report = new Report.Builder();
        if (options.runsStreams()) {
            run(SoakStreams::run, options, report);
        }
        if (options.runsVisible()) {
            run(SoakVisible::run, options, report);
        }
        if (options.runsSteady()) {
            run(SoakSteady::run, options, report);
        }
        return report.build();
    }

    private static void run(Part part, SoakOptions options, Report.Builder report)
            throws Exception {
        var folder = Folders.temporary("lakemill-bench-soak");
        try (var peer = LakemillPeer.start(folder);
                var allocator = new RootAllocator()) {
            part.run(new SoakNode(peer, folder.resolve("data"), allocator), options, report);
        } finally {
            Folders.delete(folder);
        }
    }
}
