package dev.lakemill.farm;

import dev.lakemill.api.Endpoint;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The command line.
 *
 * @param rate rows a second over all streams of events
 * @param seconds live, after the history; 0 until the process is asked to end
 * @param historyHours sent at full speed before; 0 for none
 * @param truth file for what was sent; null for none
 * @param ackSamples whether acknowledged quotes are told on standard output
 */
record Options(
        Endpoint endpoint,
        int rate,
        int seconds,
        long seed,
        int historyHours,
        @Nullable Path truth,
        boolean ackSamples) {

    static final int RATE_MAX = 200_000;
    static final int HISTORY_HOURS_MAX = 24 * 30;

    static final String USAGE =
            """
            The vertical farm's producers, simulated.

              --endpoint HOST:PORT   where the server listens (127.0.0.1:7077)
              --tls-ca FILE          use TLS, and trust these PEM certificates
              --rate N               rows a second over all streams (2000)
              --seconds N            live seconds; 0 until stopped (0)
              --seed N               same seed, same world (1)
              --history-hours N      hours sent at full speed before (24)
              --no-history           begin live
              --truth FILE           write what was sent there at the end
              --ack-samples          print acknowledged quotes, 20 a second at most

            Who they are, the environment says: LAKEMILL_TOKEN_URL, LAKEMILL_CLIENT_ID and
            LAKEMILL_CLIENT_SECRET of a service principal, or LAKEMILL_TOKEN.
            """;

    /**
     * Reads arguments.
     *
     * @throws IllegalArgumentException with a sentence for the user
     */
    static Options parse(List<String> arguments) {
        var reading = new Reading(new ArrayDeque<>(arguments));
        while (!reading.left.isEmpty()) {
            reading.one(reading.left.removeFirst());
        }
        return reading.options();
    }

    private static final class Reading {
        private final Deque<String> left;
        private String endpoint = "127.0.0.1:7077";
        private @Nullable Path tlsCa;
        private int rate = 2_000;
        private int seconds;
        private long seed = 1;
        private int historyHours = 24;
        private @Nullable Path truth;
        private boolean ackSamples;

        Reading(Deque<String> left) {
            this.left = left;
        }

        void one(String name) {
            switch (name) {
                case "--endpoint" -> endpoint = value(name);
                case "--tls-ca" -> tlsCa = Path.of(value(name));
                case "--rate" -> rate = (int) number(name, 1, RATE_MAX);
                case "--seconds" -> seconds = (int) number(name, 0, Integer.MAX_VALUE);
                case "--seed" -> seed = number(name, Long.MIN_VALUE, Long.MAX_VALUE);
                case "--history-hours" -> historyHours = (int) number(name, 0, HISTORY_HOURS_MAX);
                case "--no-history" -> historyHours = 0;
                case "--truth" -> truth = Path.of(value(name));
                case "--ack-samples" -> ackSamples = true;
                default -> throw new IllegalArgumentException("there is no option " + name);
            }
        }

        Options options() {
            return new Options(endpoint(), rate, seconds, seed, historyHours, truth, ackSamples);
        }

        private Endpoint endpoint() {
            var ca = tlsCa;
            var scheme = ca == null ? "http://" : "https://";
            var parsed = Endpoint.parse(endpoint.contains("://") ? endpoint : scheme + endpoint);
            return ca == null ? parsed : parsed.withCaFile(ca);
        }

        private String value(String name) {
            if (left.isEmpty()) {
                throw new IllegalArgumentException(name + " needs a value");
            }
            return left.removeFirst();
        }

        private long number(String name, long min, long max) {
            var text = value(name);
            try {
                var number = Long.parseLong(text);
                if (number >= min && number <= max) {
                    return number;
                }
            } catch (NumberFormatException _) {
                // Told below, with the same words as a number out of range.
            }
            throw new IllegalArgumentException(
                    "%s is '%s'; give a whole number from %d to %d"
                            .formatted(name, text, min, max));
        }
    }
}
