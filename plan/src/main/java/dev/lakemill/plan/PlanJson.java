package dev.lakemill.plan;

import com.fasterxml.jackson.annotation.JsonTypeInfo;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.JavaType;
import com.fasterxml.jackson.databind.JsonDeserializer;
import com.fasterxml.jackson.databind.JsonSerializer;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.cfg.MapperConfig;
import com.fasterxml.jackson.databind.introspect.Annotated;
import com.fasterxml.jackson.databind.introspect.AnnotatedClass;
import com.fasterxml.jackson.databind.introspect.JacksonAnnotationIntrospector;
import com.fasterxml.jackson.databind.jsontype.NamedType;
import com.fasterxml.jackson.databind.jsontype.TypeResolverBuilder;
import com.fasterxml.jackson.databind.jsontype.impl.StdTypeResolverBuilder;
import com.fasterxml.jackson.databind.module.SimpleModule;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import java.io.IOException;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A plan as JSON, and back without loss.
 *
 * <p>A record of a sealed type is an object whose {@code kind} is the record's name. A table's name
 * and a position ({@code file:line:column}) are strings, and so is a type without parts; an array,
 * a map or a struct is an object, since the text of the type does not say which parts may be NULL.
 */
public final class PlanJson {
    private static final ObjectMapper MAPPER =
            new ObjectMapper()
                    .registerModule(
                            new SimpleModule("plan")
                                    .addSerializer(TableName.class, new TextSerializer<>())
                                    .addSerializer(SourcePosition.class, new TextSerializer<>())
                                    .addSerializer(DataType.class, new TypeSerializer())
                                    .addDeserializer(TableName.class, new NameReader())
                                    .addDeserializer(SourcePosition.class, new PositionReader())
                                    .addDeserializer(DataType.class, new TypeReader()))
                    .setAnnotationIntrospector(new SealedTypes());

    private PlanJson() {}

    public static String write(PipelinePlan plan) {
        return text(plan, PipelinePlan.class);
    }

    /**
     * @throws LakemillException DATA_LOSS if the text is not a plan of this version
     */
    public static PipelinePlan read(String json) {
        return value(json, PipelinePlan.class);
    }

    public static String writeCompilation(Compilation compilation) {
        return text(compilation, Compilation.class);
    }

    /**
     * @throws LakemillException DATA_LOSS if the text is not a compilation of this version
     */
    public static Compilation readCompilation(String json) {
        return value(json, Compilation.class);
    }

    public static String writeRequest(CompileRequest request) {
        return text(request, CompileRequest.class);
    }

    /**
     * @throws LakemillException DATA_LOSS if the text is not a request of this version
     */
    public static CompileRequest readRequest(String json) {
        return value(json, CompileRequest.class);
    }

    public static String writeFileSchema(FileSchema schema) {
        return text(schema, FileSchema.class);
    }

    /**
     * @throws LakemillException DATA_LOSS if the text is not a schema of this version
     */
    public static FileSchema readFileSchema(String json) {
        return value(json, FileSchema.class);
    }

    public static String writeSqlRequest(SqlRequest request) {
        return text(request, SqlRequest.class);
    }

    /**
     * @throws LakemillException DATA_LOSS if the text is not a request of this version
     */
    public static SqlRequest readSqlRequest(String json) {
        return value(json, SqlRequest.class);
    }

    public static String writeSqlCompilation(SqlCompilation compilation) {
        return text(compilation, SqlCompilation.class);
    }

    /**
     * @throws LakemillException DATA_LOSS if the text is not a compilation of this version
     */
    public static SqlCompilation readSqlCompilation(String json) {
        return value(json, SqlCompilation.class);
    }

    private static <T> String text(T value, Class<T> type) {
        try {
            return MAPPER.writerFor(type).writeValueAsString(value);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree of records always has a JSON form", e);
        }
    }

    private static <T> T value(String json, Class<T> type) {
        try {
            return MAPPER.readValue(json, type);
        } catch (JsonProcessingException e) {
            throw new LakemillException(
                    ErrorCode.DATA_LOSS,
                    "a stored %s cannot be read: %s"
                            .formatted(type.getSimpleName(), e.getOriginalMessage()),
                    "compile the pipeline again",
                    e);
        }
    }

    /** Gives every sealed interface of this package a {@code kind} and its records as choices. */
    private static final class SealedTypes extends JacksonAnnotationIntrospector {
        private static final long serialVersionUID = 1L;

        @Override
        public @Nullable TypeResolverBuilder<?> findTypeResolver(
                MapperConfig<?> config, AnnotatedClass type, JavaType base) {
            if (!isOurs(type.getRawType())) {
                return null;
            }
            return new StdTypeResolverBuilder(
                    JsonTypeInfo.Value.construct(
                            JsonTypeInfo.Id.NAME,
                            JsonTypeInfo.As.PROPERTY,
                            "kind",
                            null,
                            false,
                            true));
        }

        @Override
        public @Nullable List<NamedType> findSubtypes(Annotated type) {
            if (!isOurs(type.getRawType())) {
                return null;
            }
            return Stream.of(type.getRawType().getPermittedSubclasses())
                    .map(c -> new NamedType(c, c.getSimpleName()))
                    .toList();
        }

        private static boolean isOurs(Class<?> type) {
            return type.isSealed() && type.getPackage() == PlanJson.class.getPackage();
        }
    }

    private static final class TextSerializer<T> extends JsonSerializer<T> {
        @Override
        public void serialize(T value, JsonGenerator out, SerializerProvider provider)
                throws IOException {
            out.writeString(value.toString());
        }
    }

    private static final class NameReader extends JsonDeserializer<TableName> {
        @Override
        public TableName deserialize(JsonParser in, DeserializationContext context)
                throws IOException {
            return TableName.parse(in.getText());
        }
    }

    private static final class PositionReader extends JsonDeserializer<SourcePosition> {
        @Override
        public SourcePosition deserialize(JsonParser in, DeserializationContext context)
                throws IOException {
            var text = in.getText();
            var column = text.lastIndexOf(':');
            var line = text.lastIndexOf(':', column - 1);
            return new SourcePosition(
                    text.substring(0, line),
                    Integer.parseInt(text.substring(line + 1, column)),
                    Integer.parseInt(text.substring(column + 1)));
        }
    }

    private static final class TypeSerializer extends JsonSerializer<DataType> {
        @Override
        public void serialize(DataType type, JsonGenerator out, SerializerProvider provider)
                throws IOException {
            switch (type) {
                case DataType.Primitive primitive -> out.writeString(primitive.sql());
                case DataType.Decimal decimal -> out.writeString(decimal.sql());
                case DataType.Array array ->
                        out.writePOJO(
                                new Nested(
                                        array.element(), null, null, null, array.containsNull()));
                case DataType.Map map ->
                        out.writePOJO(
                                new Nested(
                                        null,
                                        map.key(),
                                        map.value(),
                                        null,
                                        map.valueContainsNull()));
                case DataType.Struct struct ->
                        out.writePOJO(new Nested(null, null, null, struct.fields(), false));
            }
        }
    }

    private static final class TypeReader extends JsonDeserializer<DataType> {
        @Override
        public DataType deserialize(JsonParser in, DeserializationContext context)
                throws IOException {
            return in.currentToken().isScalarValue()
                    ? DataType.parse(in.getText())
                    : in.readValueAs(Nested.class).type();
        }
    }

    /** An array (element), a map (key and value) or a struct (fields). */
    private record Nested(
            @Nullable DataType element,
            @Nullable DataType key,
            @Nullable DataType value,
            @Nullable List<Column> fields,
            boolean containsNull) {
        DataType type() {
            if (element != null) {
                return new DataType.Array(element, containsNull);
            }
            if (key != null && value != null) {
                return new DataType.Map(key, value, containsNull);
            }
            if (fields != null) {
                return new DataType.Struct(fields);
            }
            throw new IllegalArgumentException("a type has an element, a key or fields");
        }
    }
}
