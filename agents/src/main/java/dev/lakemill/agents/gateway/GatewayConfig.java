package dev.lakemill.agents.gateway;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The endpoints of a project: the section {@code models} of lakemill.yml, whose keys are listed in
 * docs/reference/models.md. Every key that is not one of them is refused.
 */
public final class GatewayConfig {
    static final String DEFAULT = "default";
    private static final int ENDPOINTS_MAX = 200;
    private static final int PROVIDERS_MAX = 10;
    private static final int KEYWORDS_MAX = 1_000;
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_-]{0,62}");
    private static final BigDecimal MICROS = BigDecimal.valueOf(1_000_000);

    /** Reads what stands in the environment; null for what does not. */
    public interface Environment {
        @Nullable String get(String variable);
    }

    private final Map<String, EndpointConfig> endpoints = new LinkedHashMap<>();
    private final Path folder;
    private final SecretFiles secrets;
    private final Environment environment;
    private String first = ProviderConfig.TEMPLATE;

    private GatewayConfig(Path folder, Path secrets, Environment environment) {
        this.folder = folder;
        this.secrets = new SecretFiles(secrets);
        this.environment = environment;
    }

    /** Without any model. */
    public static GatewayConfig none() {
        return read(
                com.fasterxml.jackson.databind.node.MissingNode.getInstance(),
                Path.of(""),
                _ -> null);
    }

    /** With secrets in the folder {@code secrets} beside the file. */
    static GatewayConfig read(JsonNode models, Path folder, Environment environment) {
        return read(models, folder, folder.resolve("secrets"), environment);
    }

    /**
     * @param folder that relative files of keys start at
     * @param secrets folder of the files {@code scope/key}
     * @throws LakemillException INVALID_ARGUMENT for the first thing that is wrong
     */
    public static GatewayConfig read(
            JsonNode models, Path folder, Path secrets, Environment environment) {
        var config = new GatewayConfig(folder, secrets, environment);
        config.read(models);
        return config;
    }

    private void read(JsonNode models) {
        if (models.isObject()) {
            var section = new Section(models, "models");
            section.known(Set.of("folder", DEFAULT, "endpoints"));
            for (var entry : section.list("endpoints")) {
                var endpoint = endpoint(entry);
                if (endpoints.put(endpoint.name(), endpoint) != null
                        || endpoint.name().equals(ProviderConfig.TEMPLATE)) {
                    throw entry.bad("the name is taken", "give each endpoint a name of its own");
                }
                if (endpoints.size() > ENDPOINTS_MAX) {
                    throw section.bad("there are too many endpoints", "at most " + ENDPOINTS_MAX);
                }
            }
            endpoints.values().forEach(endpoint -> checkJudge(section, endpoint));
            first =
                    section.text(
                            DEFAULT,
                            endpoints.isEmpty() ? first : endpoints.keySet().iterator().next());
            if (!endpoints.containsKey(first) && !first.equals(ProviderConfig.TEMPLATE)) {
                throw section.bad(
                        "default '%s' is no endpoint".formatted(first),
                        "name one of " + endpoints.keySet());
            }
        }
        endpoints.put(ProviderConfig.TEMPLATE, EndpointConfig.template());
    }

    /** A judge answers by itself: judged by another, or itself, it might never come to an end. */
    private void checkJudge(Section section, EndpointConfig endpoint) {
        if (!endpoint.guardrails().areJudged()) {
            return;
        }
        var judge = endpoints.get(endpoint.guardrails().judge());
        if (judge == null || judge.isTemplateAlone() || judge.guardrails().areJudged()) {
            throw section.bad(
                    "'%s' cannot judge what '%s' is asked"
                            .formatted(endpoint.guardrails().judge(), endpoint.name()),
                    "name an endpoint with a model, without safety and valid_topics of its own");
        }
    }

    /** In the order of the file; the template last. */
    List<EndpointConfig> endpoints() {
        return List.copyOf(endpoints.values());
    }

    /** Of a name; of an empty one and {@code default}, the first. */
    Optional<EndpointConfig> endpoint(String name) {
        var meant = name.isEmpty() || name.equals(DEFAULT) ? first : name;
        return Optional.ofNullable(endpoints.get(meant));
    }

    private EndpointConfig endpoint(Section entry) {
        entry.known(
                Set.of(
                        "name",
                        "comment",
                        "providers",
                        "timeout_seconds",
                        "stream_idle_seconds",
                        "attempts",
                        "parallel_calls_max",
                        "output_tokens_max",
                        "answer_mb_max",
                        "rate_limits",
                        "guardrails",
                        "inference_log"));
        var name = entry.text("name", "");
        if (!NAME.matcher(name).matches() || name.equals(DEFAULT)) {
            throw entry.bad(
                    "'%s' is no name of an endpoint".formatted(name),
                    "use letters, digits, underscores and dashes, at most 63");
        }
        var providers = entry.list("providers").stream().map(this::provider).toList();
        if (providers.isEmpty() || providers.size() > PROVIDERS_MAX) {
            throw entry.bad(
                    "it has %d providers".formatted(providers.size()),
                    "list 1 to %d under providers".formatted(PROVIDERS_MAX));
        }
        return new EndpointConfig(
                name,
                entry.text("comment", ""),
                providers,
                new EndpointConfig.Limits(
                        Duration.ofSeconds(entry.number("timeout_seconds", 60, 1, 3_600)),
                        Duration.ofSeconds(entry.number("stream_idle_seconds", 30, 1, 600)),
                        (int) entry.number("attempts", 2, 1, 5),
                        (int) entry.number("parallel_calls_max", 32, 1, 1_000),
                        (int) entry.number("output_tokens_max", 4_096, 1, 1_000_000),
                        (int) entry.number("answer_mb_max", 4, 1, 64) << 20),
                entry.list("rate_limits").stream().map(GatewayConfig::rateLimit).toList(),
                guardrails(entry.inner("guardrails")),
                entry.flag("inference_log"));
    }

    private ProviderConfig provider(Section entry) {
        entry.known(
                Set.of(
                        "name",
                        ProviderConfig.TEMPLATE,
                        "base_url",
                        "model",
                        "api_key",
                        "capabilities",
                        "input_usd_per_million",
                        "output_usd_per_million"));
        if (entry.flag(ProviderConfig.TEMPLATE)) {
            return ProviderConfig.template();
        }
        var name = entry.text("name", "");
        if (!NAME.matcher(name).matches() || name.equals(ProviderConfig.TEMPLATE)) {
            throw entry.bad("'%s' is no name of a provider".formatted(name), "such as vllm-1");
        }
        var capabilities = EnumSet.noneOf(ProviderConfig.Capability.class);
        for (var written : entry.texts("capabilities")) {
            capabilities.add(entry.oneOf(ProviderConfig.Capability.class, written));
        }
        if (!entry.has("capabilities")) {
            capabilities = EnumSet.allOf(ProviderConfig.Capability.class);
        }
        var model = entry.text("model", "");
        if (model.isEmpty()) {
            throw entry.bad("it names no model", "set model to the provider's name of it");
        }
        return new ProviderConfig(
                name,
                baseUrl(entry),
                model,
                key(entry),
                capabilities,
                entry.micros("input_usd_per_million", 0),
                entry.micros("output_usd_per_million", 0));
    }

    private static URI baseUrl(Section entry) {
        try {
            return ProviderAddress.parse(entry.text("base_url", ""));
        } catch (LakemillException e) {
            throw entry.bad(e.problem(), e.hint());
        }
    }

    /** Never the key itself: the file is shown, copied and kept in version control. */
    private Supplier<String> key(Section entry) {
        if (!entry.has("api_key")) {
            return () -> "";
        }
        var reference = entry.inner("api_key");
        var secret = SecretFiles.target(reference.node().asText(""));
        if (secret.isPresent()) {
            return () -> secret(secret.get());
        }
        var variable = reference.text("env", "");
        var file = reference.text("file", "");
        if (!reference.isObject() || variable.isEmpty() == file.isEmpty()) {
            throw entry.bad(
                    "api_key is no reference",
                    "write \"{{secrets/scope/key}}\", {env: VARIABLE} or {file: path}, never the key");
        }
        reference.known(Set.of("env", "file"));
        return variable.isEmpty() ? () -> fromFile(folder.resolve(file)) : () -> set(variable);
    }

    private String set(String variable) {
        var value = environment.get(variable);
        if (value == null || value.isBlank()) {
            throw noKey("the variable %s of a provider's key is not set".formatted(variable));
        }
        return value.strip();
    }

    private String secret(String target) {
        return secrets.read(target).orElseThrow(() -> unreadable(secrets.file(target)));
    }

    private static String fromFile(Path file) {
        try {
            return Files.readString(file).strip();
        } catch (IOException e) {
            throw unreadable(file);
        }
    }

    private static ModelProblem unreadable(Path file) {
        return noKey("the file %s of a provider's key cannot be read".formatted(file));
    }

    private static ModelProblem noKey(String problem) {
        return new ModelProblem(ModelProblem.Kind.REFUSED, problem, "see api_key in lakemill.yml");
    }

    private static RateLimit rateLimit(Section entry) {
        entry.known(Set.of("key", "principal", "renewal_period", "calls", "tokens", "cost_usd"));
        var key = entry.oneOf(RateLimit.Key.class, entry.text("key", "endpoint"));
        var principal = entry.text("principal", "");
        if (key == RateLimit.Key.USER_GROUP && principal.isEmpty()) {
            throw entry.bad("a limit of a group names none", "set principal to the group's name");
        }
        var limit =
                new RateLimit(
                        key,
                        principal,
                        entry.oneOf(RateLimit.Period.class, entry.text("renewal_period", "minute")),
                        entry.number("calls", RateLimit.ANY, 0, RateLimit.ANY),
                        entry.number("tokens", RateLimit.ANY, 0, RateLimit.ANY),
                        entry.micros("cost_usd", RateLimit.ANY));
        if (!entry.has("calls") && !entry.has("tokens") && !entry.has("cost_usd")) {
            throw entry.bad("it limits nothing", "set calls, tokens or cost_usd");
        }
        return limit;
    }

    private static Guardrails guardrails(Section guardrails) {
        guardrails.known(Set.of("input", "output", "judge"));
        var read =
                new Guardrails(
                        side(guardrails.inner("input")),
                        side(guardrails.inner("output")),
                        guardrails.text("judge", ""));
        if (read.areJudged() && read.judge().isEmpty()) {
            throw guardrails.bad(
                    "valid_topics and safety need a model that judges",
                    "set judge to the name of another endpoint");
        }
        return read;
    }

    private static Guardrails.Side side(Section side) {
        side.known(Set.of("invalid_keywords", "valid_topics", "safety", "pii"));
        var keywords = side.texts("invalid_keywords");
        if (keywords.size() > KEYWORDS_MAX || keywords.contains("")) {
            throw side.bad("invalid_keywords", "1 to %d, none empty".formatted(KEYWORDS_MAX));
        }
        var pii = side.inner("pii");
        pii.known(Set.of("behavior"));
        return new Guardrails.Side(
                keywords,
                pii.oneOf(Guardrails.Pii.class, pii.text("behavior", "NONE")),
                side.flag("safety"),
                side.texts("valid_topics"));
    }

    /** A mapping of the file, with its place for errors. */
    private record Section(JsonNode node, String place) {
        boolean isObject() {
            return node.isObject();
        }

        boolean has(String key) {
            return node.hasNonNull(key);
        }

        void known(Set<String> keys) {
            if (!node.isObject() && !node.isMissingNode() && !node.isNull()) {
                throw bad("it is '%s'".formatted(node), "write 'key: value' lines");
            }
            node.fieldNames()
                    .forEachRemaining(
                            key -> {
                                if (!keys.contains(key)) {
                                    throw bad(
                                            "'%s' is not a key".formatted(key),
                                            "keys are " + keys.stream().sorted().toList());
                                }
                            });
        }

        Section inner(String key) {
            return new Section(node.path(key), place + "." + key);
        }

        List<Section> list(String key) {
            var found = new ArrayList<Section>();
            var list = node.path(key);
            if (!list.isMissingNode() && !list.isNull() && !list.isArray()) {
                throw bad("'%s' is not a list".formatted(key), "write '- …' for each");
            }
            for (var entry : list) {
                var name = entry.path("name").asText(String.valueOf(found.size() + 1));
                found.add(new Section(entry, "%s.%s[%s]".formatted(place, key, name)));
            }
            return found;
        }

        List<String> texts(String key) {
            return list(key).stream().map(s -> s.node().asText()).toList();
        }

        String text(String key, String otherwise) {
            var value = node.path(key);
            if (value.isMissingNode() || value.isNull()) {
                return otherwise;
            }
            if (value.isContainerNode()) {
                throw bad("'%s' is not a text".formatted(key), "write one value");
            }
            return value.asText();
        }

        boolean flag(String key) {
            var value = node.path(key);
            if (!value.isMissingNode() && !value.isNull() && !value.isBoolean()) {
                throw bad("'%s' is '%s'".formatted(key, value), "write true or false");
            }
            return value.asBoolean();
        }

        long number(String key, long otherwise, long min, long max) {
            var value = node.path(key);
            if (value.isMissingNode() || value.isNull()) {
                return otherwise;
            }
            if (!value.isIntegralNumber() || value.asLong() < min || value.asLong() > max) {
                throw bad(
                        "'%s' is '%s'".formatted(key, value),
                        "write a whole number from %d%s"
                                .formatted(min, max == RateLimit.ANY ? " on" : " to " + max));
            }
            return value.asLong();
        }

        /** Dollars as millionths. */
        long micros(String key, long otherwise) {
            var value = node.path(key);
            if (value.isMissingNode() || value.isNull()) {
                return otherwise;
            }
            if (!value.isNumber() || value.asDouble() < 0 || value.asDouble() > 1e9) {
                throw bad("'%s' is '%s'".formatted(key, value), "write dollars, such as 0.15");
            }
            return value.decimalValue()
                    .multiply(MICROS)
                    .setScale(0, RoundingMode.CEILING)
                    .longValueExact();
        }

        <E extends Enum<E>> E oneOf(Class<E> words, String written) {
            Function<Object, String> lower = word -> word.toString().toLowerCase(Locale.ROOT);
            for (var word : words.getEnumConstants()) {
                if (lower.apply(word).equals(lower.apply(written))) {
                    return word;
                }
            }
            throw bad(
                    "'%s' is not known".formatted(written),
                    "write one of "
                            + List.of(words.getEnumConstants()).stream().map(lower).toList());
        }

        LakemillException bad(String problem, String hint) {
            return new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "%s in lakemill.yml: %s".formatted(place, problem),
                    hint);
        }
    }
}
