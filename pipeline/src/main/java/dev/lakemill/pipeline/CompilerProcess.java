package dev.lakemill.pipeline;

import dev.lakemill.plan.Compilation;
import dev.lakemill.plan.CompileRequest;
import dev.lakemill.plan.ModelReference;
import dev.lakemill.plan.PipelineText;
import dev.lakemill.plan.PlanJson;
import dev.lakemill.plan.SourceText;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Compiles a pipeline's text in the compiler's own process. A text that was compiled before is read
 * back, and no process starts.
 */
public final class CompilerProcess {
    private static final String MAIN = "dev.lakemill.compiler.CompilerMain";
    private static final String CLASS_PATH = "lakemill.compiler.classpath";
    private static final List<String> FLAGS =
            List.of("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xlog:disable");
    private static final Pattern OURS = Pattern.compile("(compiler|plan|types)-.*\\.jar");

    /** What {@link #addCompiler} found, by class path: jars stay as they are while we run. */
    private static final Map<String, byte[]> COMPILERS = new ConcurrentHashMap<>();

    private static final Logger LOG = LoggerFactory.getLogger(CompilerProcess.class);

    private CompilerProcess() {}

    /** As below, of files that name no model and no parameter. */
    public static Compilation compile(String name, List<SourceText> files, Path cacheFolder) {
        return compile(name, files, Map.of(), ModelReference.Resolver.NONE, cacheFolder);
    }

    /**
     * Compiles, and checks that what came out can be run.
     *
     * @param parameters values of {@code ${name}}
     * @param resolver of the models that the files name; what it says is part of the plan's hash
     * @param cacheFolder where plans are kept by the hash of their text and of the compiler; made
     *     where missing
     * @throws LakemillException UNAVAILABLE when the compiler does not run or answer
     */
    public static Compilation compile(
            String name,
            List<SourceText> files,
            Map<String, String> parameters,
            ModelReference.Resolver resolver,
            Path cacheFolder) {
        try (var compiler = new WarmCompiler(Duration.ofMinutes(1))) {
            return compile(
                    compiler,
                    new PipelineText(name, files, parameters, List.of()),
                    resolver,
                    cacheFolder,
                    new SourceSchemas(
                            new FilePlaces(cacheFolder, BucketConfig.DEFAULT, List.of()),
                            cacheFolder,
                            false,
                            List.of()));
        }
    }

    /**
     * The same, of a text that may read files.
     *
     * @param found what their columns are
     * @throws LakemillException UNAVAILABLE when the compiler does not run or answer;
     *     FAILED_PRECONDITION when no file says which columns there are
     */
    public static Compilation compile(
            WarmCompiler compiler,
            PipelineText text,
            ModelReference.Resolver resolver,
            Path cacheFolder,
            SourceSchemas found) {
        var known = new ArrayList<>(found.known());
        var request =
                new CompileRequest(
                        text.name(),
                        text.files(),
                        text.parameters(),
                        known,
                        found.tables(),
                        resolved(text.files(), resolver),
                        text.functions(),
                        "");
        var compilation = compile(compiler, request, cacheFolder);
        if (compilation instanceof Compilation.FilesUnknown(var _, var unknown)) {
            unknown.forEach(
                    (table, source) -> known.add(found.find(TableName.parse(table), source)));
            known.sort(Comparator.comparing(schema -> schema.table().toString()));
            compilation = compile(compiler, request, cacheFolder);
        }
        return compilation;
    }

    private static Compilation compile(
            WarmCompiler compiler, CompileRequest request, Path cacheFolder) {
        var name = request.name();
        try {
            var hash = hash(request);
            var file = cacheFolder.resolve(name + "-" + hash + ".json");
            var kept = kept(file);
            if (kept.isPresent()) {
                return checked(kept.get());
            }
            var answer =
                    compiler.compile(
                            new CompileRequest(
                                    name,
                                    request.files(),
                                    request.parameters(),
                                    request.found(),
                                    request.tables(),
                                    request.models(),
                                    request.functions(),
                                    hash));
            var compilation = PlanJson.readCompilation(answer);
            if (compilation instanceof Compilation.Compiled) {
                keep(file, answer);
                forgetOthers(name, file);
            }
            return checked(compilation);
        } catch (IOException e) {
            throw new LakemillException(
                    ErrorCode.UNAVAILABLE,
                    "the plan of pipeline '%s' cannot be kept (%s)".formatted(name, e),
                    "check the free space and the rights below " + cacheFolder,
                    e);
        }
    }

    private static List<ModelReference> resolved(
            List<SourceText> files, ModelReference.Resolver resolver) {
        return ModelReference.writtenIn(files).stream().map(resolver::resolve).toList();
    }

    /** A plan that the engine refuses is as wrong as a text that Spark refuses. */
    private static Compilation checked(Compilation compilation) {
        return switch (compilation) {
            case Compilation.Rejected rejected -> rejected;
            case Compilation.FilesUnknown unknown -> unknown;
            case Compilation.Compiled compiled -> {
                var refusals = DuckPrinter.refusals(compiled.plan());
                if (refusals.isEmpty()) {
                    refusals = RefreshPolicies.refusals(compiled.plan());
                }
                yield refusals.isEmpty()
                        ? compiled
                        : new Compilation.Rejected(compiled.plan().name(), refusals);
            }
        };
    }

    /** A file that cannot be read any more is as good as none. */
    private static Optional<Compilation> kept(Path file) throws IOException {
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        try {
            return Optional.of(PlanJson.readCompilation(Files.readString(file)));
        } catch (LakemillException e) {
            LOG.warn("compiling again: {}", e.getMessage());
            return Optional.empty();
        }
    }

    /**
     * With the flags, and the class path, that the build has made the ahead-of-time cache with. A
     * warning must not come among the answers.
     */
    static List<String> command() {
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("@" + Path.of(root(), "jvm.flags"));
        command.addAll(FLAGS);
        var cache = target().resolve("compiler.aot");
        if (System.getProperty(CLASS_PATH) == null && isNewest(cache)) {
            command.add("-XX:AOTCache=" + cache);
        }
        command.addAll(List.of("-cp", classPath(), MAIN));
        return List.copyOf(command);
    }

    /** Whether no jar is younger: the JVM itself would take classes that a jar no longer has. */
    private static boolean isNewest(Path cache) {
        try (var jars = Files.newDirectoryStream(target().resolve("lib"))) {
            var made = Files.getLastModifiedTime(cache);
            for (var jar : jars) {
                if (Files.getLastModifiedTime(jar).compareTo(made) > 0) {
                    return false;
                }
            }
            return true;
        } catch (IOException _) {
            return false;
        }
    }

    /** The compiler's jar, which names all others. */
    private static String classPath() {
        var given = System.getProperty(CLASS_PATH);
        if (given != null) {
            return given;
        }
        var lib = target().resolve("lib");
        try (var jars = Files.newDirectoryStream(lib, "compiler-*.jar")) {
            var jar = jars.iterator();
            return jar.hasNext() ? jar.next().toString() : lib.toString();
        } catch (IOException _) {
            return lib.toString();
        }
    }

    private static Path target() {
        return Path.of(root(), "compiler", "target");
    }

    private static String root() {
        return System.getProperty("lakemill.root", "..");
    }

    private static void keep(Path file, String text) throws IOException {
        Files.createDirectories(file.getParent());
        var temporary = Files.createTempFile(file.getParent(), "plan", ".new");
        Files.writeString(temporary, text);
        Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
    }

    /** One plan per pipeline is enough: the text before this one is seldom compiled again. */
    private static void forgetOthers(String name, Path kept) throws IOException {
        var plan = Pattern.compile(Pattern.quote(name) + "-[0-9a-f]{32}\\.json");
        try (var files = Files.list(kept.toAbsolutePath().getParent())) {
            for (var file : files.toList()) {
                if (plan.matcher(file.getFileName().toString()).matches()
                        && !file.getFileName().equals(kept.getFileName())) {
                    Files.deleteIfExists(file);
                }
            }
        }
    }

    private static String hash(CompileRequest request) throws IOException {
        try {
            var digest = MessageDigest.getInstance("SHA-256");
            digest.update(compiler());
            add(digest, request.name());
            for (var parameter : new TreeMap<>(request.parameters()).entrySet()) {
                add(digest, parameter.getKey());
                add(digest, parameter.getValue());
            }
            for (var schema : request.found()) {
                add(digest, PlanJson.writeFileSchema(schema));
            }
            for (var table : request.tables()) {
                add(digest, table.toString());
            }
            for (var file : request.files()) {
                add(digest, file.path());
                add(digest, file.text());
            }
            for (var model : request.models()) {
                add(digest, model.toString());
            }
            for (var function : request.functions()) {
                add(digest, function.toString());
            }
            return HexFormat.of().formatHex(digest.digest()).substring(0, 32);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static byte[] compiler() throws IOException, NoSuchAlgorithmException {
        var classPath = classPath();
        var known = COMPILERS.get(classPath);
        if (known == null) {
            var digest = MessageDigest.getInstance("SHA-256");
            addCompiler(classPath, digest);
            known = digest.digest();
            COMPILERS.put(classPath, known);
        }
        return known;
    }

    /** What makes plans: our own jars by their bytes, Spark's and the others by their names. */
    private static void addCompiler(String classPath, MessageDigest digest) throws IOException {
        for (var entry : classPath.split(File.pathSeparator)) {
            var given = Path.of(entry).toAbsolutePath();
            var folder = Files.isDirectory(given) ? given : given.getParent();
            if (folder == null || !Files.isDirectory(folder)) {
                continue;
            }
            try (var files = Files.list(folder)) {
                for (var file : files.filter(Files::isRegularFile).sorted().toList()) {
                    var fileName = file.getFileName().toString();
                    add(digest, fileName);
                    if (OURS.matcher(fileName).matches()) {
                        digest.update(Files.readAllBytes(file));
                    }
                }
            }
        }
    }

    private static void add(MessageDigest digest, String text) {
        digest.update(text.getBytes(StandardCharsets.UTF_8));
        digest.update((byte) 0);
    }

    static LakemillException failed(String what, Path errors) throws IOException {
        var lines = Files.readAllLines(errors, StandardCharsets.UTF_8);
        var told = lines.stream().filter(line -> !line.startsWith("\tat ")).toList();
        var tail = told.subList(Math.max(0, told.size() - 15), told.size());
        return new LakemillException(
                ErrorCode.UNAVAILABLE,
                "the compiler's process %s:%n%s".formatted(what, String.join("\n", tail)),
                "run './lakemill' again, so that it builds what is missing");
    }
}
