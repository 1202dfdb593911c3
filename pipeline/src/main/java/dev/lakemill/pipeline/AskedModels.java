package dev.lakemill.pipeline;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The models that a pipeline's {@code ai_query} asks, and where their answers are kept. Used by
 * many threads at a time.
 */
public interface AskedModels {
    /**
     * What is asked.
     *
     * @param parameters of the request beside its messages, as a JSON object
     */
    record Asked(String endpoint, String parameters, String prompt) {
        /** Equal questions have equal keys. */
        String key() {
            try {
                var digest = MessageDigest.getInstance("SHA-256");
                for (var part : List.of(endpoint, parameters)) {
                    digest.update(part.getBytes(StandardCharsets.UTF_8));
                    digest.update((byte) 0);
                }
                digest.update(prompt.getBytes(StandardCharsets.UTF_8));
                return HexFormat.of().formatHex(digest.digest(), 0, 16);
            } catch (NoSuchAlgorithmException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    /**
     * An answer, or why there will be none.
     *
     * @param since batches see it whose now() is not before this
     * @param version of the endpoint when it was asked
     * @param text null when {@code error} is not
     * @param error null when {@code text} is not
     */
    record Kept(
            String key,
            Instant since,
            String endpoint,
            String version,
            @Nullable String text,
            @Nullable String error) {}

    /** What came of asking. */
    sealed interface Reply {
        record Answered(String text) implements Reply {}

        /** Asking for the same again would bring the same. */
        record Refused(String reason) implements Reply {}

        /** Asking again, not before the pause is over, may bring an answer. */
        record Away(String reason, Duration pause) implements Reply {}
    }

    /** Another one as soon as the endpoint may answer otherwise than before. */
    String version(String endpoint);

    /** Waits for the answer. */
    Reply ask(Asked asked) throws InterruptedException;

    /** All answers of the pipeline. */
    List<Kept> load();

    /** All of them or none; of one key, the two newest stay. */
    void keep(List<Kept> answers);

    void forget(List<String> keys);

    /** A row got an answer that was kept. */
    default void reused() {}

    /** Tells operators why answers do not come; often the same again. */
    void tell(String problem);

    /** Where there are no models. */
    AskedModels NONE =
            new AskedModels() {
                @Override
                public String version(String endpoint) {
                    return "";
                }

                @Override
                public Reply ask(Asked asked) {
                    return new Reply.Away("no models are asked here", Duration.ofHours(1));
                }

                @Override
                public List<Kept> load() {
                    return List.of();
                }

                @Override
                public void keep(List<Kept> answers) {}

                @Override
                public void forget(List<String> keys) {}

                @Override
                public void tell(String problem) {}
            };
}
