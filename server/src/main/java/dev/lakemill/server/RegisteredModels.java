package dev.lakemill.server;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.ModelVersion;
import dev.lakemill.pipeline.ModelSignature;
import dev.lakemill.pipeline.OnnxModel;
import dev.lakemill.plan.ModelReference;
import dev.lakemill.plan.ModelUse;
import dev.lakemill.server.models.GatewayRoutes;
import dev.lakemill.server.rest.ModelScorer;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.SecurableType;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Pattern;

/**
 * The catalog's models as pipelines and REST score them: what a reference stands for, where a
 * version's files lie, and whether they can be scored. Safe to use from any thread.
 *
 * <p>A version that is READY does not change any more, so its signature is read once.
 */
final class RegisteredModels
        implements ModelReference.Resolver,
                ModelScorer,
                GatewayRoutes.RegisteredScores,
                AutoCloseable {
    private static final Duration TURN_WAIT_MAX = Duration.ofSeconds(1);
    private static final int SIGNATURES_KEPT_MAX = 1_000;
    private static final Pattern REFERENCE = Pattern.compile("([^@/]+)(?:@([^@/]+)|/([0-9]{1,9}))");

    private final Catalog catalog;
    private final Map<UUID, ModelSignature> signatures =
            Collections.synchronizedMap(
                    new LinkedHashMap<>() {
                        private static final long serialVersionUID = 1L;

                        @Override
                        protected boolean removeEldestEntry(
                                Map.Entry<UUID, ModelSignature> eldest) {
                            return size() > SIGNATURES_KEPT_MAX;
                        }
                    });

    private final OpenedModels<OnnxModel> opened =
            new OpenedModels<>(
                    version -> OnnxModel.open(folder(version)), OnnxModel::close, TURN_WAIT_MAX);

    RegisteredModels(Catalog catalog) {
        this.catalog = catalog;
    }

    @Override
    public void forget(Securable model) {
        opened.forget(model);
    }

    @Override
    public void close() {
        opened.close();
    }

    @Override
    public ModelReference resolve(String written) {
        try {
            var version = version(written);
            var signature = signature(version);
            return new ModelReference.Resolved(
                    written,
                    version.model().name(),
                    version.version(),
                    signature.features(),
                    signature.output());
        } catch (LakemillException e) {
            return new ModelReference.Unresolved(written, e.problem(), e.hint());
        }
    }

    /** The folder of a version that a plan scores with. */
    Path folder(ModelUse use) {
        return folder(version(model(use.model()), use.version()));
    }

    @Override
    public void check(ModelVersion version) {
        if (!version.location().startsWith("file:")) {
            return;
        }
        try (var model = OnnxModel.open(folder(version))) {
            model.testScore();
        } catch (LakemillException e) {
            if (e.code() != ErrorCode.FAILED_PRECONDITION) {
                throw e;
            }
            // Of other flavors alone: registered as it is; predict refuses it.
        }
    }

    @Override
    public double[] score(ModelVersion version, JsonNode request) {
        requireReady(version);
        return opened.use(
                version,
                model -> {
                    var rows = ScoredRows.of(request, model.signature());
                    return model.score(rows.numbers(), rows.wholes());
                });
    }

    @Override
    public double[] score(Caller caller, String model, JsonNode request) {
        var name = model.split("@", 2);
        if (name[0].split("\\.", -1).length != 3) {
            throw missing(
                    "there is no endpoint '%s'".formatted(model),
                    "GET /v1/models lists them; models of the registry have three parts");
        }
        catalog.access()
                .require(
                        caller,
                        Privilege.EXECUTE,
                        new Securable(SecurableType.REGISTERED_MODEL, name[0]));
        var registered = model(name[0]);
        return score(name.length == 2 ? byAlias(registered, name[1]) : newest(registered), request);
    }

    private ModelVersion newest(Securable model) {
        return catalog.models().versions(model, Integer.MAX_VALUE).stream()
                .filter(version -> version.status() == ModelVersion.Status.READY)
                .max(Comparator.comparingInt(ModelVersion::version))
                .orElseThrow(
                        () ->
                                missing(
                                        "model '%s' has no version that is ready"
                                                .formatted(model.name()),
                                        "'./lakemill model register' makes one"));
    }

    /** What {@code catalog.schema.model@alias} or {@code catalog.schema.model/version} names. */
    private ModelVersion version(String written) {
        var parts = REFERENCE.matcher(written);
        if (!parts.matches() || parts.group(1).split("\\.", -1).length != 3) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "'%s' names no version of a model".formatted(written),
                    "write catalog.schema.model@alias, or catalog.schema.model/version");
        }
        var model = model(parts.group(1));
        var version =
                parts.group(2) == null
                        ? version(model, Integer.parseInt(parts.group(3)))
                        : byAlias(model, parts.group(2));
        requireReady(version);
        return version;
    }

    private Securable model(String name) {
        var model = new Securable(SecurableType.REGISTERED_MODEL, name);
        return catalog.securables()
                .find(model)
                .filter(info -> info.securable().type() == SecurableType.REGISTERED_MODEL)
                .orElseThrow(
                        () ->
                                missing(
                                        "there is no model '%s'".formatted(name),
                                        "'./lakemill model register' makes one"))
                .securable();
    }

    private ModelVersion byAlias(Securable model, String alias) {
        return catalog.models()
                .byAlias(model, alias)
                .orElseThrow(
                        () ->
                                missing(
                                        "model '%s' has no alias '%s'"
                                                .formatted(model.name(), alias),
                                        "'./lakemill model alias %s %s VERSION' sets it"
                                                .formatted(model.name(), alias)));
    }

    private ModelVersion version(Securable model, int number) {
        return catalog.models()
                .version(model, number)
                .orElseThrow(
                        () ->
                                missing(
                                        "model '%s' has no version %d"
                                                .formatted(model.name(), number),
                                        "'./lakemill model list %s' shows them"
                                                .formatted(model.name())));
    }

    private static LakemillException missing(String problem, String hint) {
        return new LakemillException(ErrorCode.NOT_FOUND, problem, hint);
    }

    private static void requireReady(ModelVersion version) {
        if (version.status() != ModelVersion.Status.READY) {
            throw new LakemillException(
                    ErrorCode.FAILED_PRECONDITION,
                    "version %d of model '%s' is %s"
                            .formatted(version.version(), version.model().name(), version.status()),
                    "register another version");
        }
    }

    private ModelSignature signature(ModelVersion version) {
        var known = signatures.get(version.id());
        if (known != null) {
            return known;
        }
        try (var model = OnnxModel.open(folder(version))) {
            signatures.put(version.id(), model.signature());
            return model.signature();
        }
    }

    private static Path folder(ModelVersion version) {
        if (!version.location().startsWith("file:")) {
            throw new LakemillException(
                    ErrorCode.UNIMPLEMENTED,
                    "the files of model '%s' lie at %s"
                            .formatted(version.model().name(), version.location()),
                    "models are scored from the node's own folder");
        }
        return Path.of(URI.create(version.location()));
    }

    /** Whether the folder is there: then it is one to register from. */
    static Optional<Path> existing(@org.jspecify.annotations.Nullable Path folder) {
        return Optional.ofNullable(folder).filter(Files::isDirectory);
    }
}
