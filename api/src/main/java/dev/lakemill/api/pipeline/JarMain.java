package dev.lakemill.api.pipeline;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.lang.classfile.Annotation;
import java.lang.classfile.Attributes;
import java.lang.classfile.ClassFile;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.JarFile;

/**
 * The process that asks a jar what it defines: its class path holds this package and the jar alone,
 * so it uses nothing but the JDK. Arguments: the jar, and the file for the answer.
 */
final class JarMain {
    private static final String PIPELINE = Pipeline.class.descriptorString();
    private static final Map<Class<?>, String> TYPES =
            Map.ofEntries(
                    Map.entry(boolean.class, "BOOLEAN"),
                    Map.entry(Boolean.class, "BOOLEAN"),
                    Map.entry(int.class, "INT"),
                    Map.entry(Integer.class, "INT"),
                    Map.entry(long.class, "BIGINT"),
                    Map.entry(Long.class, "BIGINT"),
                    Map.entry(float.class, "FLOAT"),
                    Map.entry(Float.class, "FLOAT"),
                    Map.entry(double.class, "DOUBLE"),
                    Map.entry(Double.class, "DOUBLE"),
                    Map.entry(String.class, "STRING"),
                    Map.entry(LocalDate.class, "DATE"),
                    Map.entry(Instant.class, "TIMESTAMP"),
                    Map.entry(LocalDateTime.class, "TIMESTAMP_NTZ"));

    private final Path jar;
    private final List<String[]> texts = new ArrayList<>();
    private final List<Named> functions = new ArrayList<>();
    private String name = "";

    private record Named(String name, Method method) {}

    /** What is wrong with the jar. */
    private static final class Refused extends Exception {
        private static final long serialVersionUID = 1L;

        private final String hint;

        Refused(String problem, String hint) {
            super(problem);
            this.hint = hint;
        }
    }

    private JarMain(Path jar) {
        this.jar = jar;
    }

    public static void main(String[] arguments) throws IOException {
        var main = new JarMain(Path.of(arguments[0]));
        try (var out = new DataOutputStream(Files.newOutputStream(Path.of(arguments[1])))) {
            try {
                main.read();
                main.write(out);
            } catch (Refused e) {
                out.writeBoolean(false);
                writeText(out, String.valueOf(e.getMessage()));
                writeText(out, e.hint);
            }
        }
        // Threads that the jar's classes started do not hold the answer up.
        Runtime.getRuntime().halt(0);
    }

    private void read() throws IOException, Refused {
        for (var className : annotated()) {
            read(className);
        }
        if (texts.isEmpty() && functions.isEmpty()) {
            throw new Refused(
                    "the jar %s defines nothing: no public class in it has @Pipeline and a method with"
                                    .formatted(jar.getFileName())
                            + " @StreamingTable, @MaterializedView, @Statements or @SqlFunction",
                    "annotate the class and its methods with dev.lakemill.api.pipeline");
        }
    }

    /** The classes with @Pipeline, found without loading any other. */
    private Set<String> annotated() throws IOException, Refused {
        var found = new TreeSet<String>();
        try (var file = new JarFile(jar.toFile())) {
            for (var entry : file.stream().toList()) {
                if (entry.getName().endsWith(".class")
                        && !entry.getName().startsWith("META-INF/")
                        && !entry.getName().endsWith("module-info.class")) {
                    try (var in = file.getInputStream(entry)) {
                        var model = ClassFile.of().parse(in.readAllBytes());
                        var isPipeline =
                                model
                                        .findAttribute(Attributes.runtimeVisibleAnnotations())
                                        .map(all -> all.annotations())
                                        .orElse(List.<Annotation>of())
                                        .stream()
                                        .anyMatch(a -> a.className().equalsString(PIPELINE));
                        if (isPipeline) {
                            found.add(model.thisClass().asInternalName().replace('/', '.'));
                        }
                    } catch (IllegalArgumentException e) {
                        throw new Refused(
                                "%s in %s is no class file that Java %d reads: %s"
                                        .formatted(
                                                entry.getName(),
                                                jar.getFileName(),
                                                Runtime.version().feature(),
                                                e.getMessage()),
                                "compile it for that version");
                    }
                }
            }
        } catch (java.util.zip.ZipException e) {
            throw new Refused(
                    "%s is no jar: %s".formatted(jar.getFileName(), e.getMessage()),
                    "build it again");
        }
        return found;
    }

    private void read(String className) throws Refused {
        try {
            var type = Class.forName(className);
            var given = type.getAnnotation(Pipeline.class).value();
            if (!given.isEmpty() && !name.isEmpty() && !given.equals(name)) {
                throw new Refused(
                        "%s names two pipelines: '%s' and '%s'"
                                .formatted(jar.getFileName(), name, given),
                        "a jar is one pipeline: give the name once");
            }
            name = given.isEmpty() ? name : given;
            if (!Modifier.isPublic(type.getModifiers())) {
                throw new Refused(
                        type.getName() + " has @Pipeline, but is not public", "make it so");
            }
            var methods = type.getDeclaredMethods();
            Arrays.sort(methods, Comparator.comparing(Method::getName));
            for (var method : methods) {
                read(type, method);
            }
        } catch (ReflectiveOperationException | LinkageError e) {
            throw new Refused(
                    "%s of %s cannot be loaded: %s"
                            .formatted(className, jar.getFileName(), told(e)),
                    "put the libraries that it needs into the jar");
        }
    }

    private void read(Class<?> type, Method method) throws Refused, ReflectiveOperationException {
        var table = method.getAnnotation(StreamingTable.class);
        var view = method.getAnnotation(MaterializedView.class);
        var function = method.getAnnotation(SqlFunction.class);
        if (table != null) {
            var header = "CREATE OR REFRESH STREAMING TABLE " + table.value();
            add(type, method, header + clauses(method, table.comment()) + "\nAS ", ";");
        } else if (view != null) {
            var header = "CREATE OR REFRESH MATERIALIZED VIEW " + view.value();
            add(type, method, header + clauses(method, view.comment()) + "\nAS ", ";");
        } else if (method.isAnnotationPresent(Statements.class)) {
            add(type, method, "", "");
        } else if (function != null) {
            check(method);
            functions.add(
                    new Named(
                            function.value().isEmpty() ? method.getName() : function.value(),
                            method));
        } else if (method.getAnnotationsByType(Expect.class).length > 0) {
            throw new Refused(
                    "%s has @Expect, but defines no table".formatted(place(method)),
                    "add @StreamingTable or @MaterializedView");
        }
    }

    private void add(Class<?> type, Method method, String before, String behind)
            throws Refused, ReflectiveOperationException {
        if (!Modifier.isPublic(method.getModifiers())
                || method.getParameterCount() > 0
                || method.getReturnType() == void.class) {
            throw new Refused(
                    "%s does not return SQL".formatted(place(method)),
                    "make it public, without parameters, and return a String or a Query");
        }
        try {
            var isStatic = Modifier.isStatic(method.getModifiers());
            var target = isStatic ? null : type.getConstructor().newInstance();
            var sql = method.invoke(target);
            if (sql == null || sql.toString().isBlank()) {
                throw new Refused("%s returned nothing".formatted(place(method)), "return SQL");
            }
            texts.add(
                    new String[] {place(method), before + sql.toString().strip() + behind + "\n"});
        } catch (NoSuchMethodException e) {
            throw new Refused(
                    "%s is not static, and its class has no public constructor without arguments"
                            .formatted(place(method)),
                    "make the method static");
        } catch (InvocationTargetException e) {
            throw new Refused("%s failed: %s".formatted(place(method), told(e)), "mend the method");
        }
    }

    private String clauses(Method method, String comment) throws Refused {
        var rules = new ArrayList<String>();
        for (var expect : method.getAnnotationsByType(Expect.class)) {
            if (expect.condition().isEmpty() == (expect.unique().length == 0)) {
                throw new Refused(
                        "@Expect '%s' of %s needs a condition or unique columns, one of both"
                                .formatted(expect.name(), place(method)),
                        "write condition = \"amount > 0\"");
            }
            var tested =
                    expect.condition().isEmpty()
                            ? "UNIQUE (%s)".formatted(String.join(", ", expect.unique()))
                            : "(" + expect.condition() + ")";
            rules.add(
                    "\n  CONSTRAINT %s EXPECT %s%s"
                            .formatted(expect.name(), tested, expect.onViolation().sql()));
        }
        var list = rules.isEmpty() ? "" : " (" + String.join(",", rules) + ")";
        return comment.isEmpty()
                ? list
                : list + "\nCOMMENT '" + comment.replace("\\", "\\\\").replace("'", "\\'") + "'";
    }

    private void check(Method method) throws Refused {
        var modifiers = method.getModifiers();
        if (!Modifier.isPublic(modifiers) || !Modifier.isStatic(modifiers)) {
            throw new Refused(
                    "%s has @SqlFunction, but is not public static".formatted(place(method)),
                    "make it so");
        }
        var all = new ArrayList<Class<?>>(List.of(method.getParameterTypes()));
        all.add(method.getReturnType());
        for (var type : all) {
            if (!TYPES.containsKey(type)) {
                throw new Refused(
                        "%s has @SqlFunction with the type %s, which SQL has not"
                                .formatted(place(method), type.getTypeName()),
                        "use boolean, int, long, float, double, their boxes, String, LocalDate,"
                                + " Instant or LocalDateTime; a DECIMAL as double or String");
            }
        }
    }

    private String place(Method method) {
        return "%s:%s.%s"
                .formatted(
                        jar.getFileName(),
                        method.getDeclaringClass().getSimpleName(),
                        method.getName());
    }

    private static String told(Throwable e) {
        var cause = e.getCause() == null ? e : e.getCause();
        return cause.toString();
    }

    private void write(DataOutputStream out) throws IOException {
        out.writeBoolean(true);
        writeText(out, name);
        out.writeInt(texts.size());
        for (var text : texts) {
            writeText(out, text[0]);
            writeText(out, text[1]);
        }
        out.writeInt(functions.size());
        for (var function : functions) {
            var method = function.method();
            writeText(out, function.name());
            writeText(out, method.getDeclaringClass().getName());
            writeText(out, method.getName());
            write(out, "", method.getReturnType());
            out.writeInt(method.getParameterCount());
            for (var parameter : method.getParameters()) {
                write(out, parameter.getName(), parameter.getType());
            }
        }
    }

    private static void write(DataOutputStream out, String name, Class<?> type) throws IOException {
        writeText(out, name);
        writeText(out, String.valueOf(TYPES.get(type)));
        out.writeBoolean(!type.isPrimitive());
    }

    private static void writeText(DataOutputStream out, String text) throws IOException {
        var bytes = text.getBytes(StandardCharsets.UTF_8);
        out.writeInt(bytes.length);
        out.write(bytes);
    }

    /** What {@link #writeText} wrote. */
    static String readText(DataInputStream in) throws IOException {
        return new String(in.readNBytes(in.readInt()), StandardCharsets.UTF_8);
    }
}
