package dev.lakemill.server;

import dev.lakemill.api.Endpoint;
import dev.lakemill.api.ProducerClient;
import dev.lakemill.api.ProducerObserver;
import dev.lakemill.api.RecordFormat;
import dev.lakemill.api.StreamOptions;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Sends rows to a node, as any producer does. */
@Command(
        name = "ingest",
        mixinStandardHelpOptions = true,
        description = "Sends rows to a node.",
        synopsisSubcommandLabel = "COMMAND",
        subcommands = IngestCommand.Send.class)
final class IngestCommand {
    private IngestCommand() {}

    /** {@code ./lakemill ingest send}. */
    @Command(
            name = "send",
            mixinStandardHelpOptions = true,
            description = {
                "Sends lines of JSON (NDJSON) to a table; returns when all of them are on disk.",
                "A line that does not fit the table is told by its number, and left out."
            },
            footer = {
                "",
                "For example  ./lakemill ingest send --table shop.bronze.orders < orders.ndjson",
                "Exit codes: 0 every line is on disk, 1 some were rejected or sending failed."
            })
    static final class Send implements Callable<Integer> {
        @Spec private CommandSpec spec;

        @Mixin private NodeClient.Target target = new NodeClient.Target();

        @Option(
                names = "--table",
                paramLabel = "TABLE",
                required = true,
                description = "catalog.schema.table")
        private String table = "";

        @Option(
                names = "--grpc",
                paramLabel = "URL",
                description = "where producers connect to (default: that of the node here)")
        private @Nullable String grpc;

        @Option(
                names = "--ca",
                paramLabel = "FILE",
                description = "PEM file of the authority that signed its certificate")
        private @Nullable Path authority;

        @Option(
                names = "--batch-rows",
                paramLabel = "N",
                defaultValue = "500",
                description = "rows of one request (default: 500)")
        private int batchRows = 500;

        @Option(
                names = "--rejects",
                paramLabel = "FILE",
                description = "takes the lines that were rejected")
        private @Nullable Path rejects;

        @Parameters(
                arity = "0..1",
                paramLabel = "FILE",
                description = "lines of JSON (default: standard input)")
        private @Nullable Path file;

        @Override
        public Integer call() throws IOException {
            var name = TableName.parse(table);
            if (batchRows < 1) {
                throw new LakemillException(
                        ErrorCode.INVALID_ARGUMENT,
                        "--batch-rows is %d".formatted(batchRows),
                        "give 1 or more");
            }
            try (var client = ProducerClient.connect(endpoint(), target::requireToken);
                    var in = input();
                    var told = new Told(spec.commandLine().getErr(), rejects)) {
                var sender =
                        new LineSender(
                                () ->
                                        client.open(
                                                name,
                                                RecordFormat.JSON,
                                                StreamOptions.DEFAULT,
                                                ProducerObserver.NONE),
                                batchRows,
                                told);
                sender.send(in);
                var out = spec.commandLine().getOut();
                out.println(told.summary(sender.durable(), sender.rejected()));
                out.flush();
                return sender.rejected() == 0 ? 0 : 1;
            }
        }

        private Endpoint endpoint() {
            var url = grpc == null ? "http://" + target.run().grpc() : grpc;
            var endpoint = Endpoint.parse(url);
            return authority == null ? endpoint : endpoint.withCaFile(authority);
        }

        private BufferedReader input() throws IOException {
            var from = file;
            return from == null
                    ? new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))
                    : Files.newBufferedReader(from);
        }
    }

    /** Tells rejected lines and, once a second, how far it is. */
    private static final class Told implements LineSender.Listener, AutoCloseable {
        private static final long EVERY_NANOS = TimeUnit.SECONDS.toNanos(1);

        private final long startedNanos = System.nanoTime();
        private final PrintWriter err;
        private final @Nullable PrintWriter rejects;
        private long toldNanos = startedNanos;

        Told(PrintWriter err, @Nullable Path rejects) throws IOException {
            this.err = err;
            this.rejects =
                    rejects == null ? null : new PrintWriter(Files.newBufferedWriter(rejects));
        }

        @Override
        public void rejected(long line, String row, String why) {
            err.printf("line %d: %s%n", line, why);
            err.flush();
            if (rejects != null) {
                rejects.println(row);
            }
        }

        @Override
        public void progress(long rows) {
            var now = System.nanoTime();
            if (now - toldNanos >= EVERY_NANOS) {
                toldNanos = now;
                err.printf("%,d rows on disk, %,.0f a second%n", rows, rows / seconds());
                err.flush();
            }
        }

        private double seconds() {
            return Math.max(1e-3, (System.nanoTime() - startedNanos) / 1e9);
        }

        String summary(long rows, long rejected) {
            return "%,d rows on disk in %.1f s%s"
                    .formatted(
                            rows,
                            seconds(),
                            rejected == 0 ? "" : ", %,d lines rejected".formatted(rejected));
        }

        @Override
        public void close() {
            if (rejects != null) {
                rejects.close();
            }
        }
    }
}
