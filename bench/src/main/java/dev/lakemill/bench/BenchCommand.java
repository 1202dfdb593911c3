package dev.lakemill.bench;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Measures, each figure beside a named peer or a raw floor of the same run. */
@Command(
        name = "bench",
        mixinStandardHelpOptions = true,
        description = "Measures, against a named peer or a raw floor in the same run.",
        synopsisSubcommandLabel = "NAME")
final class BenchCommand {
    @Spec private CommandSpec spec;

    /** One measurement. */
    private interface Bench {
        Report run(BenchOptions options) throws Exception;
    }

    @Command(
            name = "ingest",
            mixinStandardHelpOptions = true,
            description =
                    "Durable acknowledgements: a raw gRPC echo, Lakemill and durable Kafka, by 1, 8"
                            + " and 64 producers of single rows of 200 B and by one of batches.")
    int ingest(
            @Option(
                            names = "--rounds",
                            defaultValue = "3",
                            description = "How often all is measured; medians are told.")
                    int rounds,
            @Option(
                            names = "--seconds",
                            defaultValue = "4",
                            description = "How long each measurement takes, behind 1 s to warm up.")
                    int seconds,
            @Option(
                            names = "--matrix",
                            description =
                                    "Adds Kafka as it comes, Postgres by COPY and by INSERT, rows"
                                            + " of 1 KB for all, Lakemill 10 ms away and on a disk"
                                            + " whose syncs take 4 ms longer: four times as long.")
                    boolean matrix,
            @Option(names = "--json", description = "Prints one JSON object.") boolean json)
            throws Exception {
        return run(
                options -> IngestBench.run(options, matrix),
                new BenchOptions(rounds, seconds, json));
    }

    @Command(
            name = "soak",
            mixinStandardHelpOptions = true,
            description = {
                "What ingest owes over time, in three parts with a server each.",
                "streams: memory while many streams send a row every 2 s each.",
                "visible: how soon after its acknowledgement a row is read in Delta, at",
                "20,000 rows a second. steady: latency and memory at 80 %% of the highest",
                "rate, in the first minute and in the last."
            })
    int soak(@Mixin SoakOptions options, @Option(names = "--json") boolean json) throws Exception {
        return run(_ -> SoakBench.run(options), new BenchOptions(1, options.seconds(), json));
    }

    @Command(
            name = "decode",
            mixinStandardHelpOptions = true,
            description = "Records of ten columns checked and brought into the log's form, by JMH.")
    int decode(
            @Option(names = "--rounds", defaultValue = "5") int rounds,
            @Option(names = "--seconds", defaultValue = "2") int seconds,
            @Option(names = "--json") boolean json)
            throws Exception {
        return run(DecodeBench::run, new BenchOptions(rounds, seconds, json));
    }

    @Command(
            name = "sync",
            mixinStandardHelpOptions = true,
            description = {
                "Rows a second into synced tables, first load and changes, against a bare COPY and a",
                "TRUNCATE and COPY loop; what readers feel; growth under hot updates for --seconds."
            })
    int sync(
            @Option(names = "--rounds", defaultValue = "3") int rounds,
            @Option(names = "--seconds", defaultValue = "4") int seconds,
            @Option(names = "--json") boolean json)
            throws Exception {
        return run(SyncBench::run, new BenchOptions(rounds, seconds, json));
    }

    @Command(
            name = "capture",
            mixinStandardHelpOptions = true,
            description = "State tables read back into Delta: freshness, changes a second, bloat.")
    int capture(
            @Option(names = "--rounds", defaultValue = "3") int rounds,
            @Option(names = "--seconds", defaultValue = "8") int seconds,
            @Option(names = "--json") boolean json)
            throws Exception {
        return run(CaptureBench::run, new BenchOptions(rounds, seconds, json));
    }

    @Command(
            name = "import",
            mixinStandardHelpOptions = true,
            description = "A database moved into state tables, against a bare COPY | COPY.")
    int importing(
            @Option(names = "--rounds", defaultValue = "3") int rounds,
            @Option(names = "--json") boolean json)
            throws Exception {
        return run(ImportBench::run, new BenchOptions(rounds, 0, json));
    }

    @Command(
            name = "serve",
            mixinStandardHelpOptions = true,
            description = {
                "Point reads of a synced table and a join of 30 of its keys, through the front door",
                "by 16 clients while it changes, against the same rows in a plain table."
            })
    int serve(
            @Option(names = "--rounds", defaultValue = "5") int rounds,
            @Option(names = "--seconds", defaultValue = "3") int seconds,
            @Option(names = "--json") boolean json)
            throws Exception {
        return run(ServeBench::run, new BenchOptions(rounds, seconds, json));
    }

    @Command(
            name = "frontdoor",
            mixinStandardHelpOptions = true,
            description =
                    "Point reads through the front door against direct ones, 1 and 32 clients.")
    int frontdoor(
            @Option(names = "--rounds", defaultValue = "3") int rounds,
            @Option(names = "--seconds", defaultValue = "3") int seconds,
            @Option(names = "--json") boolean json)
            throws Exception {
        return run(FrontDoorBench::run, new BenchOptions(rounds, seconds, json));
    }

    @Command(
            name = "pipeline",
            mixinStandardHelpOptions = true,
            description = {
                "A batch of 100 rows over 1 and 10 million, freshness of the farm's Gold in",
                "Postgres at rising rates, and the same small pipeline beside Spark with Delta."
            })
    int pipeline(
            @Option(names = "--rounds", defaultValue = "20") int rounds,
            @Option(names = "--seconds", defaultValue = "4") int seconds,
            @Option(names = "--json") boolean json)
            throws Exception {
        return run(PipelineBench::run, new BenchOptions(rounds, seconds, json));
    }

    @Command(
            name = "compile",
            mixinStandardHelpOptions = true,
            description = "Deploys of 30 tables: cold, an edit, and the memory after a hundred.")
    int compile(
            @Option(
                            names = "--rounds",
                            defaultValue = "20",
                            description = "How many edits are timed.")
                    int rounds,
            @Option(names = "--json") boolean json)
            throws Exception {
        return run(CompileBench::run, new BenchOptions(rounds, 0, json));
    }

    @Command(
            name = "ivm",
            mixinStandardHelpOptions = true,
            description = "Random views kept by changes, held against recomputing them.")
    int ivm(
            @Option(
                            names = "--rounds",
                            defaultValue = "10",
                            description = "How many thousand cases run.")
                    int rounds,
            @Option(names = "--json") boolean json)
            throws Exception {
        return run(IvmBench::run, new BenchOptions(rounds, 0, json));
    }

    @Command(
            name = "predict",
            mixinStandardHelpOptions = true,
            description = "Rows a second that predict() scores on one core, ten features each.")
    int predict(
            @Option(names = "--rounds", defaultValue = "9") int rounds,
            @Option(names = "--seconds", defaultValue = "4") int seconds,
            @Option(names = "--json") boolean json)
            throws Exception {
        return run(PredictBench::run, new BenchOptions(rounds, seconds, json));
    }

    @Command(
            name = "crash",
            mixinStandardHelpOptions = true,
            description = "kill -9 of the server at random moments under load, then every row.")
    int crash(
            @Option(names = "--rounds", defaultValue = "20") int rounds,
            @Option(names = "--seconds", defaultValue = "5") int seconds,
            @Option(names = "--json") boolean json)
            throws Exception {
        return run(CrashBench::run, new BenchOptions(rounds, seconds, json));
    }

    @Command(
            name = "chaos",
            mixinStandardHelpOptions = true,
            description = {
                "kill -9 of Postgres, of Lakemill and of both while tables are copied, synced,",
                "changed, captured, backed up and restored; then everything is compared.",
                "-Dlakemill.seed=N in LAKEMILL_JAVA_OPTIONS names the first round."
            })
    int chaos(
            @Option(names = "--rounds", defaultValue = "100") int rounds,
            @Option(names = "--json") boolean json)
            throws Exception {
        return run(ChaosBench::run, new BenchOptions(rounds, 0, json));
    }

    @Command(
            name = "gateway",
            mixinStandardHelpOptions = true,
            description = "Calls of a scripted model through the gateway against direct ones.")
    int gateway(
            @Option(names = "--rounds", defaultValue = "3") int rounds,
            @Option(names = "--seconds", defaultValue = "4") int seconds,
            @Option(names = "--json") boolean json)
            throws Exception {
        return run(GatewayBench::run, new BenchOptions(rounds, seconds, json));
    }

    @Command(
            name = "agents",
            mixinStandardHelpOptions = true,
            description = {
                "kill -9 of the server, its Postgres and agents, and ends of sessions, with a model",
                "that is slow, busy and wrong; then every effect, approval, run and call is counted."
            })
    int agents(
            @Option(names = "--rounds", defaultValue = "100") int rounds,
            @Option(names = "--json") boolean json)
            throws Exception {
        return run(AgentsBench::run, new BenchOptions(rounds, 0, json));
    }

    @Command(
            name = "faults",
            mixinStandardHelpOptions = true,
            description =
                    "Kills, power cuts, failed syncs, full disks, a bad store, resend storms.")
    int faults(
            @Option(names = "--rounds", defaultValue = "100") int rounds,
            @Option(names = "--json") boolean json)
            throws Exception {
        return run(FaultsBench::run, new BenchOptions(rounds, 0, json));
    }

    @Command(
            name = "simulate",
            mixinStandardHelpOptions = true,
            description = "Log and landings in one thread, every run decided by its seed.")
    int simulate(
            @Option(names = "--rounds", defaultValue = "100000") int rounds,
            @Option(names = "--json") boolean json)
            throws Exception {
        return run(SimulateBench::run, new BenchOptions(rounds, 0, json));
    }

    @Command(
            name = "fuzz",
            mixinStandardHelpOptions = true,
            description = "Jazzer against JSON, protobuf, descriptors, messages, Flight, the log.")
    int fuzz(
            @Option(
                            names = "--seconds",
                            defaultValue = "600",
                            description = "How long each target is fuzzed.")
                    int seconds,
            @Option(names = "--json") boolean json)
            throws Exception {
        return run(FuzzBench::run, new BenchOptions(1, seconds, json));
    }

    @Command(
            name = "audit",
            mixinStandardHelpOptions = true,
            description = "Single-row inserts into an audited table against a plain one.")
    int audit(
            @Option(names = "--rounds", defaultValue = "5") int rounds,
            @Option(names = "--seconds", defaultValue = "2") int seconds,
            @Option(names = "--json") boolean json)
            throws Exception {
        return run(AuditBench::run, new BenchOptions(rounds, seconds, json));
    }

    @Command(
            name = "policy",
            mixinStandardHelpOptions = true,
            description = "Random changes of the catalog, and whether every door agrees with it.")
    int policy(
            @Option(names = "--rounds", defaultValue = "5") int rounds,
            @Option(names = "--seconds", defaultValue = "6") int seconds,
            @Option(names = "--json") boolean json)
            throws Exception {
        return run(PolicyBench::run, new BenchOptions(rounds, seconds, json));
    }

    @Command(
            name = "decide",
            mixinStandardHelpOptions = true,
            description = "Decisions among 10,000 tables and 1,000 principals, cached and not.")
    int decide(
            @Option(names = "--rounds", defaultValue = "5") int rounds,
            @Option(names = "--seconds", defaultValue = "2") int seconds,
            @Option(names = "--json") boolean json)
            throws Exception {
        return run(DecideBench::run, new BenchOptions(rounds, seconds, json));
    }

    @Command(
            name = "conformance",
            mixinStandardHelpOptions = true,
            description = "TPC-H, Nexmark and Spark's own sql-tests: our answers against Spark's.")
    int conformance(@Option(names = "--json") boolean json) throws Exception {
        return run(ConformanceBench::run, new BenchOptions(1, 1, json));
    }

    private int run(Bench bench, BenchOptions options) throws Exception {
        var report = bench.run(options);
        var out = spec.commandLine().getOut();
        out.println(options.json() ? report.json() : report.text());
        out.flush();
        return report.ok() ? 0 : 1;
    }
}
