package dev.lakemill.agents.gateway;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Secrets that an administrator has put into files: {@code SCOPE/KEY} in one folder, the folder
 * {@code secrets} of a node's data.
 */
public final class SecretFiles {
    private static final int BYTES_MAX = 64 << 10;
    private static final String NAME = "[A-Za-z0-9_@-][A-Za-z0-9_.@-]*";
    private static final Pattern TARGET = Pattern.compile(NAME + "/" + NAME);

    /** As Databricks writes it. */
    private static final Pattern REFERENCE =
            Pattern.compile("\\{\\{ *secrets/(%s/%s) *}}".formatted(NAME, NAME));

    private final Path folder;

    public SecretFiles(Path folder) {
        this.folder = folder;
    }

    /** {@code SCOPE/KEY} of a text {@code {{secrets/SCOPE/KEY}}}; empty for another text. */
    static Optional<String> target(String reference) {
        var matcher = REFERENCE.matcher(reference);
        return matcher.matches() ? Optional.of(matcher.group(1)) : Optional.empty();
    }

    /** The file of a secret. */
    Path file(String target) {
        return folder.resolve(target);
    }

    /**
     * A secret, without space around it; empty when there is none, or a path that is no secret's.
     */
    public Optional<String> read(String target) {
        try {
            return TARGET.matcher(target).matches() && Files.size(file(target)) <= BYTES_MAX
                    ? Optional.of(Files.readString(file(target)).strip())
                    : Optional.empty();
        } catch (IOException _) {
            return Optional.empty();
        }
    }
}
