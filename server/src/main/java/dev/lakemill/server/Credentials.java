package dev.lakemill.server;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** {@code ~/.lakemill/credentials}, mode 0600: what {@code lakemill login} got, by node. */
final class Credentials {
    private static final ObjectMapper json = new ObjectMapper();

    /**
     * One login.
     *
     * @param refreshToken gets the next access token; null for programs, which log in again
     * @param expiresAt seconds since 1970
     */
    @JsonNaming(SnakeCaseStrategy.class)
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record Login(String accessToken, @Nullable String refreshToken, long expiresAt) {}

    private final Path file;

    private Credentials(Path file) {
        this.file = file;
    }

    static Credentials ofUser() {
        return new Credentials(Path.of(System.getProperty("user.home"), ".lakemill/credentials"));
    }

    Optional<Login> find(String url) {
        return Optional.ofNullable(read().get(url));
    }

    void put(String url, Login login) {
        var all = new TreeMap<>(read());
        all.put(url, login);
        try {
            Files.createDirectories(file.toAbsolutePath().getParent());
            PrivateFile.write(file, json.writerWithDefaultPrettyPrinter().writeValueAsBytes(all));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        } catch (IOException e) {
            throw new LakemillException(ErrorCode.UNAVAILABLE, "cannot write " + file, "", e);
        }
    }

    private Map<String, Login> read() {
        if (!Files.exists(file)) {
            return Map.of();
        }
        try {
            return json.readValue(file.toFile(), new TypeReference<Map<String, Login>>() {});
        } catch (IOException e) {
            throw new LakemillException(
                    ErrorCode.DATA_LOSS,
                    "cannot read " + file,
                    "delete it, and log in again with './lakemill login'",
                    e);
        }
    }

    @Override
    public String toString() {
        return file.toString();
    }
}
