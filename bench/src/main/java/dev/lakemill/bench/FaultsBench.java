package dev.lakemill.bench;

import dev.lakemill.api.Endpoint;
import dev.lakemill.api.ProducerClient;
import dev.lakemill.delta.UnreliableStore;
import dev.lakemill.types.LakemillException;
import dev.lakemill.wal.SimulatedDisk;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * Faults at random moments, and a recorded history that is checked: each round, one log and one
 * table live several lives, each ended by a kill, a power cut (unsynced sectors lost, torn and out
 * of order), a failed sync or a full disk, by a kill while the table's store refuses, delays and
 * times out, or while all connections are cut again and again; and the clock jumps by hours. The
 * producers live through it all and send again what was not acknowledged: half of them over streams
 * that promise exactly once, half over those that promise at least once. The last round has 1,000
 * producers that all come back at the same time. A seed decides the faults, not the threads' turns.
 */
final class FaultsBench {
    private static final int PRODUCERS = 6;
    private static final int LIVES = 4;
    private static final int CROWD = 1_000;
    private static final int CROWD_CONNECTIONS = 20;
    private static final int CUTS = 12;
    private static final double BAD_STORE_SHARE = 0.3;
    private static final int STORE_TIMEOUT_MILLIS = 40;
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private static final List<Fault> FAULTS = List.of(Fault.values());

    /** It tells of every connection that is cut. */
    private static final Logger GRPC = Logger.getLogger("io.grpc");

    private FaultsBench() {}

    /** What the faults were. */
    enum Fault {
        KILL,
        POWER_CUT,
        FAILED_SYNC,
        FULL_DISK,
        BAD_STORE,
        RESEND_STORM
    }

    static Report run(BenchOptions options) throws Exception {
        // The failures are made on purpose, hundreds of them.
        System.setProperty("lakemill.bench.log", "OFF");
        var report = new Report.Builder();
        var history = History.NONE;
        var faults = new EnumMap<Fault, Integer>(Fault.class);
        for (int round = 0; round < options.rounds(); round++) {
            history = history.plus(round(20_261_128L + round, PRODUCERS, PRODUCERS, faults));
            if ((round + 1) % 10 == 0) {
                System.err.printf("round %d of %d%n", round + 1, options.rounds());
            }
        }
        history = history.plus(round(1, CROWD, CROWD_CONNECTIONS, faults));
        report.check("no_row_lost", history.lost() == 0);
        report.check("no_row_doubled", history.doubled() == 0);
        report.check("order_kept", history.reordered() == 0);
        report.figure("lost_rows", history.lost());
        report.figure("doubled_rows", history.doubled());
        report.figure("reordered_rows", history.reordered());
        report.figure("rounds", options.rounds());
        report.figure("rows", history.rows());
        for (var fault : Fault.values()) {
            report.figure(
                    fault.name().toLowerCase(Locale.ROOT) + "_count",
                    faults.getOrDefault(fault, 0));
        }
        report.figure("reconnecting_clients", CROWD);
        return report.build();
    }

    /** One log and one table through all their lives. */
    static History round(long seed, int producers, int connections, Map<Fault, Integer> faults)
            throws IOException, InterruptedException {
        GRPC.setLevel(Level.OFF);
        var folder = Folders.temporary("lakemill-faults");
        try {
            Files.createDirectories(folder.resolve("log"));
            return new Round(folder, seed, faults).run(producers, connections);
        } finally {
            Folders.delete(folder);
        }
    }

    /** The clock of a machine that somebody sets. */
    private static final class JumpingClock implements InstantSource {
        private volatile Duration ahead = Duration.ZERO;

        @Override
        public Instant instant() {
            return Instant.now().plus(ahead);
        }
    }

    private static final class Round {
        private final Path folder;
        private final Random random;
        private final Map<Fault, Integer> faults;
        private final SimulatedDisk disk;
        private final UnreliableStore store;
        private final JumpingClock clock = new JumpingClock();
        private final int port = Ports.free();
        private final Relay relay = new Relay(port);

        Round(Path folder, long seed, Map<Fault, Integer> faults) throws IOException {
            this.folder = folder;
            this.random = new Random(seed);
            this.faults = faults;
            this.disk = new SimulatedDisk(new Random(seed));
            this.store = new UnreliableStore(new Random(seed));
        }

        History run(int producers, int connections) throws InterruptedException, IOException {
            var clients = new ArrayList<ProducerClient>();
            var streams = new ArrayList<RecordedStream>();
            try {
                for (int i = 0; i < connections; i++) {
                    var endpoint = Endpoint.plaintext("127.0.0.1", relay.port());
                    clients.add(ProducerClient.connect(endpoint, () -> "token"));
                }
                for (int i = 0; i < producers; i++) {
                    var client = clients.get(i % connections);
                    streams.add(new RecordedStream(client, i, i % 2 == 0, random.nextLong()));
                }
                for (int life = 0; life < LIVES; life++) {
                    live(streams);
                }
                try (var _ = node()) {
                    streams.forEach(stream -> stream.flush(PATIENCE));
                    streams.forEach(RecordedStream::close);
                }
            } finally {
                clients.forEach(ProducerClient::close);
                relay.close();
            }
            return History.of(folder.resolve("table"), streams);
        }

        private FaultyNode node() {
            return new FaultyNode(
                    folder,
                    FaultyNode.config(port),
                    disk,
                    (location, allocator) -> store.table(location, FaultyNode.SCHEMA, allocator),
                    clock);
        }

        private void live(List<RecordedStream> streams) throws InterruptedException {
            var fault = FAULTS.get(random.nextInt(FAULTS.size()));
            clock.ahead = Duration.ofMinutes(random.nextInt(600) - 300);
            var node = node();
            faults.merge(fault, 1, Integer::sum);
            plan(fault);
            try {
                var storm = Thread.startVirtualThread(() -> cut(fault));
                send(streams);
                await(node, streams);
                storm.join();
            } finally {
                node.die();
            }
            store.trouble(0, 0);
            disk.capacity(Long.MAX_VALUE);
            disk.restart(
                    fault == Fault.POWER_CUT
                            ? SimulatedDisk.End.POWER_CUT
                            : SimulatedDisk.End.KILL);
        }

        private void plan(Fault fault) {
            switch (fault) {
                case KILL, POWER_CUT -> disk.stopAfter(5 + random.nextInt(80));
                case FAILED_SYNC -> disk.failSyncAfter(1 + random.nextInt(20));
                case FULL_DISK -> disk.capacity((64 << 10) + random.nextInt(64 << 10));
                case BAD_STORE -> store.trouble(BAD_STORE_SHARE, STORE_TIMEOUT_MILLIS);
                case RESEND_STORM -> {}
            }
        }

        /** Everybody comes again and sends again what is on its way, and is cut off once more. */
        private void cut(Fault fault) {
            try {
                for (int i = 0; fault == Fault.RESEND_STORM && i < CUTS; i++) {
                    Thread.sleep(15);
                    relay.cut();
                }
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            }
        }

        private void send(List<RecordedStream> streams) throws InterruptedException {
            var failures = new CopyOnWriteArrayList<RuntimeException>();
            var threads = new ArrayList<Thread>();
            int requests = streams.size() > PRODUCERS ? 4 : 60;
            for (var stream : streams) {
                threads.add(
                        Thread.startVirtualThread(
                                () -> {
                                    try {
                                        stream.send(requests);
                                    } catch (LakemillException e) {
                                        failures.add(e);
                                    }
                                }));
            }
            for (var thread : threads) {
                thread.join();
            }
            if (!failures.isEmpty()) {
                throw failures.getFirst();
            }
        }

        /** Until the fault has come, or everything was taken in spite of it, or it is full. */
        private void await(FaultyNode node, List<RecordedStream> streams)
                throws InterruptedException {
            long until = System.nanoTime() + Duration.ofMillis(1_500).toNanos();
            while (!node.hasFailed()
                    && System.nanoTime() - until < 0
                    && !streams.stream().allMatch(RecordedStream::isIdle)) {
                Thread.sleep(2);
            }
        }
    }
}
