package dev.lakemill.server.apps;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.time.temporal.ChronoUnit;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * What an app and its supervisor said: two files that take turns, so that it never grows beyond
 * twice {@value #FILE_BYTES_MAX} bytes, and followers that read along.
 *
 * <p>An app is never held up: when the disk is full its lines are lost and counted, and a follower
 * that is slow misses lines and is told how many. Safe to use from any thread.
 */
final class AppLog {
    static final int FILE_BYTES_MAX = 2 << 20;
    static final int LINE_BYTES_MAX = 8 << 10;
    private static final int FOLLOWERS_MAX = 50;
    private static final int FOLLOWER_LINES_MAX = 2_000;

    /** Reads along until closed. */
    final class Follower implements AutoCloseable {
        private final BlockingQueue<String> lines = new ArrayBlockingQueue<>(FOLLOWER_LINES_MAX);
        private final AtomicLong missed = new AtomicLong();

        private Follower() {}

        private void offer(String line) {
            if (!lines.offer(line)) {
                missed.incrementAndGet();
            }
        }

        /** The next line; null when none came for a while. */
        @Nullable String poll(long millis) throws InterruptedException {
            var lost = missed.get();
            if (lost > 0 && lines.isEmpty()) {
                missed.addAndGet(-lost);
                return "… %d lines were too fast for this reader".formatted(lost);
            }
            return lines.poll(millis, TimeUnit.MILLISECONDS);
        }

        @Override
        public void close() {
            followers.remove(this);
        }
    }

    private final Path folder;
    private final Clock clock;
    private final List<Follower> followers = new CopyOnWriteArrayList<>();
    private long bytes = -1;
    private long lost;

    AppLog(Path folder, Clock clock) {
        this.folder = folder;
        this.clock = clock;
    }

    /** A line of the app's. */
    void app(String text) {
        append("[APP] ", text);
    }

    /** A line of the supervisor's. */
    void system(String text) {
        append("[SYSTEM] ", text);
    }

    private synchronized void append(String by, String text) {
        var line = clock.instant().truncatedTo(ChronoUnit.MILLIS) + " " + by + printable(text);
        write(line);
        followers.forEach(follower -> follower.offer(line));
    }

    /** Without what would steer a terminal. */
    private static String printable(String text) {
        var clean = text.replaceAll("[\\p{Cntrl}&&[^\t]]", "");
        return clean.length() <= LINE_BYTES_MAX ? clean : clean.substring(0, LINE_BYTES_MAX) + "…";
    }

    private void write(String line) {
        var text = (lost > 0 ? "… %d lines were lost%n".formatted(lost) : "") + line + "\n";
        var encoded = text.getBytes(StandardCharsets.UTF_8);
        try {
            if (bytes < 0) {
                Files.createDirectories(folder);
                bytes = Files.exists(current()) ? Files.size(current()) : 0;
            }
            if (bytes + encoded.length > FILE_BYTES_MAX && bytes > 0) {
                Files.move(current(), older(), StandardCopyOption.REPLACE_EXISTING);
                bytes = 0;
            }
            Files.write(current(), encoded, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
            bytes += encoded.length;
            lost = 0;
        } catch (IOException e) {
            bytes = -1;
            lost++;
        }
    }

    private Path current() {
        return folder.resolve("app.log");
    }

    private Path older() {
        return folder.resolve("app.log.1");
    }

    /** The last lines, oldest first. */
    synchronized List<String> tail(int linesMax) {
        Queue<String> last = new ArrayDeque<>();
        for (var file : List.of(older(), current())) {
            if (!Files.exists(file)) {
                continue;
            }
            // A crash may have cut a character in two.
            try {
                var text = new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
                text.lines()
                        .forEach(
                                line -> {
                                    last.add(line);
                                    if (last.size() > linesMax) {
                                        last.remove();
                                    }
                                });
            } catch (IOException e) {
                last.add("… %s cannot be read: %s".formatted(file.getFileName(), e.getMessage()));
            }
        }
        return List.copyOf(last);
    }

    /** Follows from now on; RESOURCE_EXHAUSTED beyond {@value #FOLLOWERS_MAX} followers. */
    Follower follow() {
        if (followers.size() >= FOLLOWERS_MAX) {
            throw new dev.lakemill.types.LakemillException(
                    dev.lakemill.types.ErrorCode.RESOURCE_EXHAUSTED,
                    "%d readers follow this log".formatted(FOLLOWERS_MAX),
                    "end one of them");
        }
        var follower = new Follower();
        followers.add(follower);
        return follower;
    }
}
