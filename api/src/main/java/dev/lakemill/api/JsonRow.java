package dev.lakemill.api;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.temporal.Temporal;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Java values as rows in JSON: a record's components, a bean's getters and a map's keys are columns
 * or fields of a struct. Names in camel case become snake case: {@code orderId} is {@code
 * order_id}.
 *
 * <p>Texts, enums (by name), numbers, booleans, times of java.time (as ISO 8601), byte arrays (as
 * Base64), Optionals, collections, arrays of objects, maps and nested rows are taken.
 */
public final class JsonRow {
    private static final JsonFactory FACTORY = new JsonFactory();

    /** The columns of a class, found once. */
    private static final ClassValue<Map<String, Method>> COLUMNS =
            new ClassValue<>() {
                @Override
                protected Map<String, Method> computeValue(Class<?> type) {
                    return columns(type);
                }
            };

    private JsonRow() {}

    /**
     * The row as one JSON object.
     *
     * @throws LakemillException INVALID_ARGUMENT for a value that is no row, or of a type that has
     *     no form in JSON
     */
    public static String of(Object row) {
        var text = new StringWriter();
        try (var out = FACTORY.createGenerator(text)) {
            if (!(row instanceof Map<?, ?>) && COLUMNS.get(row.getClass()).isEmpty()) {
                throw bad(row.getClass());
            }
            write(row, out);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return text.toString();
    }

    private static void write(@Nullable Object value, JsonGenerator out) throws IOException {
        switch (value) {
            case null -> out.writeNull();
            case Optional<?> optional -> write(optional.orElse(null), out);
            case CharSequence text -> out.writeString(text.toString());
            case Character text -> out.writeString(text.toString());
            case Enum<?> name -> out.writeString(name.name());
            case Boolean truth -> out.writeBoolean(truth);
            case Double number -> floating(number, out);
            case Float number -> floating(number, out);
            case BigDecimal number -> out.writeNumber(number);
            case BigInteger number -> out.writeNumber(number);
            case Number number -> out.writeNumber(number.longValue());
            case Temporal time -> out.writeString(time.toString());
            case byte[] bytes -> out.writeBinary(bytes);
            case Object[] values -> array(java.util.Arrays.asList(values), out);
            case Collection<?> values -> array(values, out);
            case Map<?, ?> map -> map(map, out);
            default -> fields(value, out);
        }
    }

    /** JSON has no word for what is no number; the server reads these texts. */
    private static void floating(Number number, JsonGenerator out) throws IOException {
        var value = number.doubleValue();
        if (Double.isFinite(value)) {
            out.writeNumber(number.toString());
        } else {
            out.writeString(number.toString());
        }
    }

    private static void array(Collection<?> values, JsonGenerator out) throws IOException {
        out.writeStartArray();
        for (var value : values) {
            write(value, out);
        }
        out.writeEndArray();
    }

    private static void map(Map<?, ?> map, JsonGenerator out) throws IOException {
        out.writeStartObject();
        for (var entry : map.entrySet()) {
            out.writeFieldName(String.valueOf(entry.getKey()));
            write(entry.getValue(), out);
        }
        out.writeEndObject();
    }

    private static void fields(Object row, JsonGenerator out) throws IOException {
        var columns = COLUMNS.get(row.getClass());
        if (columns.isEmpty()) {
            throw bad(row.getClass());
        }
        out.writeStartObject();
        for (var column : columns.entrySet()) {
            out.writeFieldName(column.getKey());
            write(valueOf(row, column.getValue()), out);
        }
        out.writeEndObject();
    }

    private static @Nullable Object valueOf(Object row, Method getter) {
        try {
            return getter.invoke(row);
        } catch (IllegalAccessException | InvocationTargetException e) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "%s cannot be read: %s".formatted(getter, e),
                    "make its class and the method public",
                    e);
        }
    }

    private static Map<String, Method> columns(Class<?> type) {
        var columns = new LinkedHashMap<String, Method>();
        if (type.isRecord()) {
            for (var component : type.getRecordComponents()) {
                add(component.getName(), component.getAccessor(), columns);
            }
            return columns;
        }
        if (type.getName().startsWith("java.")) {
            return columns;
        }
        for (var method : type.getMethods()) {
            if (method.getParameterCount() == 0
                    && !Modifier.isStatic(method.getModifiers())
                    && method.getDeclaringClass() != Object.class) {
                var name = method.getName();
                var isBoolean = method.getReturnType() == boolean.class;
                if (name.startsWith("get") && name.length() > 3) {
                    add(name.substring(3), method, columns);
                } else if (isBoolean && name.startsWith("is") && name.length() > 2) {
                    add(name.substring(2), method, columns);
                }
            }
        }
        return columns;
    }

    private static void add(String name, Method getter, Map<String, Method> columns) {
        // A record may be private to its class; its components are public all the same.
        getter.trySetAccessible();
        columns.put(snakeCase(name), getter);
    }

    private static String snakeCase(String name) {
        return name.replaceAll("([a-z0-9])([A-Z])", "$1_$2")
                .replaceAll("([A-Z])([A-Z][a-z])", "$1_$2")
                .toLowerCase(Locale.ROOT);
    }

    private static LakemillException bad(Class<?> type) {
        return new LakemillException(
                ErrorCode.INVALID_ARGUMENT,
                "%s has no columns".formatted(type.getName()),
                "give a record, a bean with getters, or a map");
    }
}
