package dev.lakemill.server;

import dev.lakemill.pipeline.OnnxModel;
import dev.lakemill.plan.ModelReference;
import dev.lakemill.types.LakemillException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What references stand for where no node runs: the project's folder of models, each as the first
 * version that it would be registered as.
 */
record ProjectModels(Path folder) implements ModelReference.Resolver {
    static ModelReference.Resolver of(Config config) {
        return RegisteredModels.existing(config.path(Setting.MODELS))
                .<ModelReference.Resolver>map(ProjectModels::new)
                .orElse(ModelReference.Resolver.NONE);
    }

    @Override
    public ModelReference resolve(String written) {
        var name = written.replaceFirst("[@/].*", "");
        var model = folder.resolve(name).normalize();
        if (!model.startsWith(folder) || !Files.isDirectory(model)) {
            return new ModelReference.Unresolved(
                    written,
                    "there is no model '%s' in %s".formatted(name, folder),
                    "a model of the registry alone is known where the node runs");
        }
        try (var opened = OnnxModel.open(model)) {
            var signature = opened.signature();
            return new ModelReference.Resolved(
                    written, name, 1, signature.features(), signature.output());
        } catch (LakemillException e) {
            return new ModelReference.Unresolved(written, e.problem(), e.hint());
        }
    }
}
