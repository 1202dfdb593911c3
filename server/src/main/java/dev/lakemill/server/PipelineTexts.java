package dev.lakemill.server;

import dev.lakemill.pipeline.CompilerProcess;
import dev.lakemill.pipeline.SourceSchemas;
import dev.lakemill.pipeline.WarmCompiler;
import dev.lakemill.plan.Compilation;
import dev.lakemill.plan.JavaFunction;
import dev.lakemill.plan.KnownTable;
import dev.lakemill.plan.ModelReference;
import dev.lakemill.plan.PipelineText;
import dev.lakemill.plan.SourceText;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * The SQL files and jars of a project's pipelines, and what became of them: compiled beside other
 * work.
 */
final class PipelineTexts {
    private final Map<String, CompletableFuture<Compilation>> compilations = new HashMap<>();

    private PipelineTexts() {}

    /**
     * Starts to compile every pipeline of the project; a text seen before is not compiled again.
     *
     * @param models only texts that name models wait for it
     */
    static PipelineTexts compileAll(
            WarmCompiler compiler,
            Config config,
            CompletableFuture<? extends ModelReference.Resolver> models) {
        var texts = new PipelineTexts();
        for (var entry : config.pipelines()) {
            texts.compilations.put(
                    entry.name(),
                    CompletableFuture.supplyAsync(
                            () -> compile(compiler, config, entry, models),
                            PipelineTexts::onOwnThread));
        }
        return texts;
    }

    /** Waits for the pipeline's compilation. */
    Compilation of(Config.PipelineEntry entry) {
        try {
            return Objects.requireNonNull(compilations.get(entry.name())).join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof LakemillException known) {
                throw known;
            }
            throw e;
        }
    }

    /** The SQL files and the jars of a folder, in order of name; or of one jar. */
    static PipelineText read(Config config, Config.PipelineEntry entry) {
        try {
            var texts = new ArrayList<SourceText>();
            var functions = new ArrayList<JavaFunction>();
            for (var file : list(entry.folder())) {
                if (file.toString().endsWith(".sql")) {
                    texts.add(new SourceText(named(config, file), Files.readString(file)));
                } else if (file.toString().endsWith(".jar")) {
                    var jar = PipelineJars.of(config.data(), file);
                    texts.addAll(jar.texts());
                    functions.addAll(jar.functions());
                }
            }
            if (texts.isEmpty()) {
                throw noFiles(
                        entry,
                        functions.isEmpty()
                                ? "has no .sql file and no .jar"
                                : "has functions, but no table",
                        null);
            }
            return new PipelineText(entry.name(), texts, entry.configuration(), functions);
        } catch (IOException e) {
            throw noFiles(entry, "cannot be read", e);
        }
    }

    private static List<Path> list(Path folder) throws IOException {
        if (Files.isRegularFile(folder)) {
            return List.of(folder);
        }
        try (var files = Files.list(folder)) {
            return files.sorted().toList();
        }
    }

    private static Compilation compile(
            WarmCompiler compiler,
            Config config,
            Config.PipelineEntry entry,
            CompletableFuture<? extends ModelReference.Resolver> models) {
        if (references(config, entry).isEmpty()) {
            return compile(compiler, config, entry, ModelReference.Resolver.NONE, true, List.of());
        }
        if (!Files.exists(plans(config))) {
            // A first start registers the project's models: most likely it is the plan of below.
            var _ = compile(compiler, config, entry, ProjectModels.of(config), true, List.of());
        }
        return compile(compiler, config, entry, models.join(), true, List.of());
    }

    private static Path plans(Config config) {
        return config.data().resolve("pipelines/plans");
    }

    /**
     * Compiles what stands in the pipeline's folder now.
     *
     * @param keeps whether the columns that files are found to have are kept, for it to run
     * @param tables of the catalog that others write
     */
    static Compilation compile(
            WarmCompiler compiler,
            Config config,
            Config.PipelineEntry entry,
            ModelReference.Resolver models,
            boolean keeps,
            List<KnownTable> tables) {
        var own = config.data().resolve("pipelines").resolve(entry.name());
        return CompilerProcess.compile(
                compiler,
                read(config, entry),
                models,
                plans(config),
                new SourceSchemas(PipelineFiles.places(config), own, keeps, tables));
    }

    /** How the pipeline's text calls models. */
    static Set<String> references(Config config, Config.PipelineEntry entry) {
        return ModelReference.writtenIn(read(config, entry).files());
    }

    private static String named(Config config, Path file) {
        var path = file.toAbsolutePath().normalize();
        return path.startsWith(config.folder())
                ? config.folder().relativize(path).toString()
                : path.toString();
    }

    private static LakemillException noFiles(
            Config.PipelineEntry entry,
            String what,
            @org.jspecify.annotations.Nullable IOException cause) {
        var problem =
                "the folder %s of pipeline '%s' %s".formatted(entry.folder(), entry.name(), what);
        var hint = "put its SQL files there, or mend 'folder' in " + Config.FILE;
        return cause == null
                ? new LakemillException(ErrorCode.NOT_FOUND, problem, hint)
                : new LakemillException(ErrorCode.NOT_FOUND, problem, hint, cause);
    }

    private static void onOwnThread(Runnable work) {
        Thread.ofPlatform().name("compile").daemon().start(work);
    }
}
