package dev.lakemill.pipeline;

import dev.lakemill.plan.JavaFunction;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.duckdb.DuckDBColumnType;
import org.duckdb.DuckDBDataChunkReader;
import org.duckdb.DuckDBFunctions;
import org.duckdb.DuckDBReadableVector;
import org.duckdb.DuckDBWritableVector;
import org.jspecify.annotations.Nullable;

/**
 * Methods of jars as functions of an engine, vectorised: {@code "java name"(place, argument, ...)}.
 * The place in the pipeline's text is for the message of a call that fails.
 *
 * <p>Each engine loads a jar by a class loader of its own, which sees the JDK, the annotations and
 * the jar: not our classes or libraries.
 */
final class JarFunctions implements AutoCloseable {
    private static final String ANNOTATIONS = "dev.lakemill.api.pipeline.";
    private static final int VALUE_CHARACTERS_MAX = 100;

    private final Map<String, URLClassLoader> jars = new HashMap<>();

    private JarFunctions() {}

    /** SQL name of a function. */
    static String function(String name) {
        return DuckPrinter.quoted("java " + name);
    }

    /**
     * @throws LakemillException FAILED_PRECONDITION for a jar that has not what the plan says
     */
    static JarFunctions register(Connection connection, List<JavaFunction> functions) {
        var registered = new JarFunctions();
        try {
            for (var function : functions) {
                registered.register(connection, function);
            }
            return registered;
        } catch (SQLException e) {
            registered.close();
            throw new DuckException(e);
        } catch (RuntimeException | Error e) {
            registered.close();
            throw e;
        }
    }

    @Override
    public void close() {
        try {
            for (var jar : jars.values()) {
                jar.close();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        jars.clear();
    }

    private void register(Connection connection, JavaFunction function) throws SQLException {
        var method = method(function);
        try (var builder = DuckDBFunctions.scalarFunction()) {
            builder.withName("java " + function.name()).withParameter(DuckDBColumnType.VARCHAR);
            for (var parameter : function.parameters()) {
                builder.withParameter(columnType(parameter.type()));
            }
            var _ =
                    builder.withReturnType(columnType(function.result()))
                            .withVectorizedFunction(
                                    (in, out) -> new Call(function, method, in).run(out))
                            .register(connection);
        }
    }

    private MethodHandle method(JavaFunction function) {
        try {
            var loader = jars.computeIfAbsent(function.jar(), JarFunctions::loader);
            var parameters =
                    function.parameters().stream()
                            .map(p -> javaType(p.type(), p.nullable()))
                            .toArray(Class<?>[]::new);
            var type =
                    MethodType.methodType(
                            javaType(function.result(), function.resultNullable()), parameters);
            return MethodHandles.publicLookup()
                    .findStatic(
                            Class.forName(function.className(), true, loader),
                            function.method(),
                            type)
                    .asFixedArity()
                    .asSpreader(Object[].class, parameters.length)
                    .asType(MethodType.methodType(Object.class, Object[].class));
        } catch (ReflectiveOperationException | LinkageError e) {
            throw new LakemillException(
                    ErrorCode.FAILED_PRECONDITION,
                    "the function '%s' cannot be loaded from %s: %s"
                            .formatted(function.name(), function.jar(), cause(e)),
                    "build the jar again, with the libraries that it needs in it",
                    e);
        }
    }

    private static URLClassLoader loader(String jar) {
        if (!Files.isRegularFile(Path.of(jar))) {
            throw new LakemillException(
                    ErrorCode.FAILED_PRECONDITION,
                    "the jar %s is not there any more".formatted(jar),
                    "deploy the pipeline again: ./lakemill pipeline refresh NAME");
        }
        try {
            return new URLClassLoader(new URL[] {Path.of(jar).toUri().toURL()}, new Annotations());
        } catch (MalformedURLException e) {
            throw new IllegalArgumentException(jar, e);
        }
    }

    /** What a jar sees beside itself. */
    private static final class Annotations extends ClassLoader {
        Annotations() {
            super(ClassLoader.getPlatformClassLoader());
        }

        @Override
        protected Class<?> findClass(String name) throws ClassNotFoundException {
            if (name.startsWith(ANNOTATIONS)) {
                return Class.forName(name, false, JarFunctions.class.getClassLoader());
            }
            throw new ClassNotFoundException(name);
        }
    }

    /** A function over the rows of a chunk. */
    private record Call(JavaFunction function, MethodHandle method, DuckDBDataChunkReader in) {
        void run(DuckDBWritableVector out) {
            var arguments = new @Nullable Object[function.parameters().size()];
            for (long row = 0; row < in.rowCount(); row++) {
                if (take(arguments, row)) {
                    write(out, row, call(arguments, row));
                } else {
                    out.setNull(row);
                }
            }
        }

        /** Whether the method is to be called. */
        private boolean take(@Nullable Object[] arguments, long row) {
            for (int i = 0; i < arguments.length; i++) {
                var vector = in.vector(i + 1L);
                var parameter = function.parameters().get(i);
                arguments[i] = vector.isNull(row) ? null : value(vector, parameter.type(), row);
                if (arguments[i] == null && !parameter.nullable()) {
                    return false;
                }
            }
            return true;
        }

        @SuppressWarnings("PMD") // Whatever a method throws must not end the process.
        private @Nullable Object call(@Nullable Object[] arguments, long row) {
            try {
                return method.invokeExact(arguments);
            } catch (Throwable e) {
                throw new IllegalArgumentException(
                        "%s: %s failed: %s"
                                .formatted(in.vector(0).getString(row), told(arguments), e),
                        e);
            }
        }

        private String told(@Nullable Object[] arguments) {
            return IntStream.range(0, arguments.length)
                    .mapToObj(
                            i ->
                                    function.parameters().get(i).name()
                                            + " = "
                                            + shortened(arguments[i]))
                    .collect(Collectors.joining(", ", function.name() + "(", ")"));
        }

        private static String shortened(@Nullable Object value) {
            var text = value == null ? "NULL" : value.toString();
            return text.length() <= VALUE_CHARACTERS_MAX
                    ? text
                    : text.substring(0, VALUE_CHARACTERS_MAX) + "…";
        }

        private void write(DuckDBWritableVector out, long row, @Nullable Object value) {
            switch (value) {
                case null -> out.setNull(row);
                case Boolean b -> out.setBoolean(row, b);
                case Integer i -> out.setInt(row, i);
                case Long l -> out.setLong(row, l);
                case Float f -> out.setFloat(row, f);
                case Double d -> out.setDouble(row, d);
                case String s -> out.setString(row, s);
                case LocalDate date -> out.setDate(row, date);
                case Instant instant ->
                        out.setTimestamp(
                                row,
                                LocalDateTime.ofInstant(
                                        instant.truncatedTo(ChronoUnit.MICROS), ZoneOffset.UTC));
                case LocalDateTime time ->
                        out.setTimestamp(row, time.truncatedTo(ChronoUnit.MICROS));
                default -> throw new IllegalStateException(value.getClass().getName());
            }
        }
    }

    private static Object value(DuckDBReadableVector vector, DataType type, long row) {
        return switch (type) {
            case Primitive.BOOLEAN -> vector.getBoolean(row);
            case Primitive.INTEGER -> vector.getInt(row);
            case Primitive.LONG -> vector.getLong(row);
            case Primitive.FLOAT -> vector.getFloat(row);
            case Primitive.DOUBLE -> vector.getDouble(row);
            case Primitive.STRING -> vector.getString(row);
            case Primitive.DATE -> vector.getLocalDate(row);
            case Primitive.TIMESTAMP -> vector.getLocalDateTime(row).toInstant(ZoneOffset.UTC);
            case Primitive.TIMESTAMP_NTZ -> vector.getLocalDateTime(row);
            default -> throw new IllegalArgumentException(type.sql());
        };
    }

    private static DuckDBColumnType columnType(DataType type) {
        return switch (type) {
            case Primitive.BOOLEAN -> DuckDBColumnType.BOOLEAN;
            case Primitive.INTEGER -> DuckDBColumnType.INTEGER;
            case Primitive.LONG -> DuckDBColumnType.BIGINT;
            case Primitive.FLOAT -> DuckDBColumnType.FLOAT;
            case Primitive.DOUBLE -> DuckDBColumnType.DOUBLE;
            case Primitive.STRING -> DuckDBColumnType.VARCHAR;
            case Primitive.DATE -> DuckDBColumnType.DATE;
            case Primitive.TIMESTAMP, Primitive.TIMESTAMP_NTZ -> DuckDBColumnType.TIMESTAMP;
            default -> throw new IllegalArgumentException(type.sql());
        };
    }

    private static Class<?> javaType(DataType type, boolean boxed) {
        return switch (type) {
            case Primitive.BOOLEAN -> boxed ? Boolean.class : boolean.class;
            case Primitive.INTEGER -> boxed ? Integer.class : int.class;
            case Primitive.LONG -> boxed ? Long.class : long.class;
            case Primitive.FLOAT -> boxed ? Float.class : float.class;
            case Primitive.DOUBLE -> boxed ? Double.class : double.class;
            case Primitive.STRING -> String.class;
            case Primitive.DATE -> LocalDate.class;
            case Primitive.TIMESTAMP -> Instant.class;
            case Primitive.TIMESTAMP_NTZ -> LocalDateTime.class;
            default -> throw new IllegalArgumentException(type.sql());
        };
    }

    private static Throwable cause(Throwable e) {
        return e.getCause() == null ? e : e.getCause();
    }
}
