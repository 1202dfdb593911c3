package dev.lakemill.pipeline;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;

/**
 * A model scored by ONNX Runtime on the calling thread. Safe to use from any thread; each calling
 * thread at a time holds one set of buffers.
 *
 * <p>Scored are graphs with one input of all features or one input a feature, whose output is one
 * number a row. Rows are scored at most {@value #ROWS_MAX} at a time, and at least {@value
 * #ROWS_MIN}: a single row would take another way through the runtime and might differ in its last
 * digit from the same row among others.
 */
public final class OnnxModel implements AutoCloseable {
    static final int ROWS_MAX = 2_048;
    private static final int ROWS_MIN = 16;

    /** A feature of the rows that are scored. */
    interface Feature {
        boolean isNull(int row);

        double value(int row);

        /** Of a feature of whole numbers or booleans: exactly. */
        long whole(int row);
    }

    /** Takes the scores, one row after the other. */
    interface Scores {
        void set(int row, double score);

        /** Of a graph that gives whole numbers. */
        default void setWhole(int row, long score) {
            set(row, score);
        }
    }

    /** An input of the graph and where its features begin. */
    private record Input(String name, OnnxJavaType type, int first, int width, boolean flat) {
        boolean isWhole() {
            return type != OnnxJavaType.FLOAT && type != OnnxJavaType.DOUBLE;
        }
    }

    private final OrtEnvironment environment;
    private final OrtSession session;
    private final MlModelFile file;
    private final List<Input> inputs;
    private final String output;
    private final ModelSignature signature;
    private final ConcurrentLinkedQueue<List<ByteBuffer>> buffers = new ConcurrentLinkedQueue<>();

    private OnnxModel(OrtEnvironment environment, OrtSession session, MlModelFile file)
            throws OrtException {
        this.environment = environment;
        this.session = session;
        this.file = file;
        this.inputs = inputs();
        var found = output();
        this.output = found.getKey();
        var said = file.output().orElse(found.getValue());
        if (said != found.getValue()) {
            throw bad(
                    file,
                    "its graph gives %s, and its signature says %s"
                            .formatted(found.getValue().sql(), said.sql()),
                    null);
        }
        this.signature = new ModelSignature(file.features(), found.getValue());
    }

    /**
     * Opens the model of a folder with a file MLmodel.
     *
     * @throws LakemillException INVALID_ARGUMENT for what is not an ONNX model with a signature
     *     that fits its graph; FAILED_PRECONDITION for a model of other flavors alone
     */
    public static OnnxModel open(Path folder) {
        var file = MlModelFile.read(folder);
        try (var options = new OrtSession.SessionOptions()) {
            options.setIntraOpNumThreads(1);
            options.setInterOpNumThreads(1);
            var environment = OrtEnvironment.getEnvironment("lakemill");
            UnpackedLibraries.delete("onnxruntime-java");
            var session = environment.createSession(file.onnx().toString(), options);
            try {
                return new OnnxModel(environment, session, file);
            } catch (OrtException | RuntimeException e) {
                session.close();
                throw e;
            }
        } catch (OrtException e) {
            throw bad(file, e.getMessage(), e);
        }
    }

    public ModelSignature signature() {
        return signature;
    }

    /**
     * Scores two made-up rows, of zeros and of ones.
     *
     * @throws LakemillException INVALID_ARGUMENT when a score does not come or is not a number
     */
    public void testScore() {
        var width = signature.features().size();
        var ones = new double[width];
        java.util.Arrays.fill(ones, 1);
        for (var score : score(List.of(new double[width], ones))) {
            if (!Double.isFinite(score)) {
                throw bad(file, "its score of a made-up row is " + score, null);
            }
        }
    }

    /**
     * @param rows each as wide as the signature; NaN for a feature without a value
     */
    public double[] score(List<double[]> rows) {
        return score(rows, List.of());
    }

    /**
     * @param rows each as wide as the signature; NaN for a feature without a value
     * @param wholes of the same rows, what stands at whole numbers' and booleans' places, exactly;
     *     none where the rows have no whole number that a double does not hold
     * @throws LakemillException INVALID_ARGUMENT for a whole number that the graph cannot take
     */
    public double[] score(List<double[]> rows, List<long[]> wholes) {
        var scores = new double[rows.size()];
        for (int from = 0; from < scores.length; from += ROWS_MAX) {
            var first = from;
            var features = new ArrayList<Feature>();
            for (int i = 0; i < signature.features().size(); i++) {
                features.add(new Given(rows, wholes, first, i));
            }
            try {
                score(
                        Math.min(ROWS_MAX, scores.length - first),
                        features,
                        (row, score) -> scores[first + row] = score);
            } catch (RefusedFeature e) {
                throw new LakemillException(
                        ErrorCode.INVALID_ARGUMENT,
                        "feature '%s' of row %d is %s"
                                .formatted(e.feature, first + e.row + 1, e.is),
                        e.hint,
                        e);
            }
        }
        return scores;
    }

    private record Given(List<double[]> rows, List<long[]> wholes, int first, int index)
            implements Feature {
        @Override
        public boolean isNull(int row) {
            return false;
        }

        @Override
        public double value(int row) {
            return rows.get(first + row)[index];
        }

        @Override
        public long whole(int row) {
            return wholes.isEmpty() ? (long) value(row) : wholes.get(first + row)[index];
        }
    }

    /**
     * @param count at most {@link #ROWS_MAX}
     * @throws RefusedFeature for a feature that must have a value and has none, or one that the
     *     graph cannot take
     */
    void score(int count, List<? extends Feature> features, Scores scores) {
        var taken = buffers.poll();
        var memory = taken == null ? allocate() : taken;
        try {
            score(count, memory, features, scores);
        } catch (OrtException e) {
            throw bad(file, e.getMessage(), e);
        } finally {
            buffers.add(memory);
        }
    }

    /** A feature whose value cannot be scored. */
    static final class RefusedFeature extends RuntimeException {
        private static final long serialVersionUID = 1L;

        final String feature;
        final String is;
        final String hint;
        private final int row;

        private RefusedFeature(Column feature, int row, String is, String hint) {
            super(feature.name());
            this.feature = feature.name();
            this.row = row;
            this.is = is;
            this.hint = hint;
        }

        private static RefusedFeature none(Column feature, int row) {
            return new RefusedFeature(feature, row, "NULL", "use coalesce, or leave such rows out");
        }

        private static RefusedFeature tooLarge(Column feature, int row, long value) {
            return new RefusedFeature(
                    feature,
                    row,
                    "%d, and the model's graph takes whole numbers of 32 bits".formatted(value),
                    "leave such rows out, or export the graph with int64");
        }
    }

    @Override
    public void close() {
        try {
            session.close();
        } catch (OrtException e) {
            throw bad(file, e.getMessage(), e);
        }
    }

    private void score(
            int count, List<ByteBuffer> memory, List<? extends Feature> features, Scores scores)
            throws OrtException {
        var rows = Math.max(ROWS_MIN, count);
        var tensors = new LinkedHashMap<String, OnnxTensor>();
        try {
            for (int i = 0; i < inputs.size(); i++) {
                var input = inputs.get(i);
                var buffer = memory.get(i).clear();
                fill(input, buffer, count, features);
                buffer.limit(rows * input.width() * input.type().size);
                var shape = input.flat() ? new long[] {rows} : new long[] {rows, input.width()};
                tensors.put(
                        input.name(),
                        OnnxTensor.createTensor(environment, buffer, shape, input.type()));
            }
            try (var result = session.run(tensors, java.util.Set.of(output))) {
                give((OnnxTensor) result.get(0), count, scores);
            }
        } finally {
            tensors.values().forEach(OnnxTensor::close);
        }
    }

    private void fill(Input input, ByteBuffer buffer, int count, List<? extends Feature> features) {
        var isWhole = input.isWhole();
        for (int f = 0; f < input.width(); f++) {
            var column = signature.features().get(input.first() + f);
            var feature = features.get(input.first() + f);
            for (int row = 0; row < count; row++) {
                var isNull = feature.isNull(row);
                if (isNull && !column.nullable()) {
                    throw RefusedFeature.none(column, row);
                }
                var at = row * input.width() + f;
                if (!isWhole) {
                    put(buffer, input.type(), at, isNull ? Double.NaN : feature.value(row));
                } else if (!put(buffer, input.type(), at, isNull ? 0 : feature.whole(row))) {
                    throw RefusedFeature.tooLarge(column, row, feature.whole(row));
                }
            }
        }
    }

    private static void put(ByteBuffer buffer, OnnxJavaType type, int at, double value) {
        if (type == OnnxJavaType.FLOAT) {
            buffer.putFloat(at * Float.BYTES, (float) value);
        } else {
            buffer.putDouble(at * Double.BYTES, value);
        }
    }

    /** Whether the type holds the value. */
    private static boolean put(ByteBuffer buffer, OnnxJavaType type, int at, long value) {
        switch (type) {
            case INT64 -> buffer.putLong(at * Long.BYTES, value);
            case INT32 -> buffer.putInt(at * Integer.BYTES, (int) value);
            case BOOL -> buffer.put(at, (byte) (value == 0 ? 0 : 1));
            default -> throw new IllegalStateException("only these types are opened");
        }
        return type != OnnxJavaType.INT32 || value == (int) value;
    }

    private static void give(OnnxTensor tensor, int count, Scores scores) {
        switch (tensor.getInfo().type) {
            case FLOAT -> {
                var values = tensor.getFloatBuffer();
                for (int row = 0; row < count; row++) {
                    scores.set(row, values.get(row));
                }
            }
            case DOUBLE -> {
                var values = tensor.getDoubleBuffer();
                for (int row = 0; row < count; row++) {
                    scores.set(row, values.get(row));
                }
            }
            case INT64 -> {
                var values = tensor.getLongBuffer();
                for (int row = 0; row < count; row++) {
                    scores.setWhole(row, values.get(row));
                }
            }
            default -> throw new IllegalStateException("only these types are opened");
        }
    }

    private List<ByteBuffer> allocate() {
        return inputs.stream()
                .map(i -> ByteBuffer.allocateDirect(ROWS_MAX * i.width() * i.type().size))
                .map(buffer -> buffer.order(ByteOrder.nativeOrder()))
                .toList();
    }

    private List<Input> inputs() throws OrtException {
        var found = new ArrayList<Input>();
        var width = file.features().size();
        for (var entry : session.getInputInfo().entrySet()) {
            if (!(entry.getValue().getInfo() instanceof TensorInfo tensor)
                    || !isScored(tensor.type)) {
                throw bad(file, "its input '%s' is no tensor of numbers".formatted(entry), null);
            }
            var shape = tensor.getShape();
            var columns = shape.length == 2 ? (int) shape[1] : shape.length == 1 ? 1 : -1;
            var known = columns < 0 && shape.length == 2 ? width : columns;
            if (known < 1) {
                throw bad(file, "its input has %d dimensions".formatted(shape.length), null);
            }
            var first = session.getInputInfo().size() == 1 ? 0 : position(entry.getKey());
            found.add(new Input(entry.getKey(), tensor.type, first, known, shape.length == 1));
        }
        if (found.stream().mapToInt(Input::width).sum() == width) {
            found.forEach(this::requireFit);
        } else {
            throw bad(
                    file,
                    "its graph takes %d features, and its signature names %d"
                            .formatted(found.stream().mapToInt(Input::width).sum(), width),
                    null);
        }
        return List.copyOf(found);
    }

    /** A graph of whole numbers would cut what the signature lets in. */
    private void requireFit(Input input) {
        for (var feature : file.features().subList(input.first(), input.first() + input.width())) {
            var fits =
                    switch (input.type()) {
                        case FLOAT, DOUBLE -> true;
                        case BOOL -> feature.type() == Primitive.BOOLEAN && !feature.nullable();
                        default -> feature.type() != Primitive.DOUBLE && !feature.nullable();
                    };
            if (!fits) {
                throw bad(
                        file,
                        "its graph takes '%s' as %s, and its signature lets in %s%s"
                                .formatted(
                                        feature.name(),
                                        input.type(),
                                        feature.type().sql(),
                                        feature.nullable() ? " or none" : ""),
                        null);
            }
        }
    }

    /** Of several inputs each is the feature of its name. */
    private int position(String name) {
        for (int i = 0; i < file.features().size(); i++) {
            if (file.features().get(i).name().equals(name)) {
                return i;
            }
        }
        throw bad(file, "its graph's input '%s' is not in its signature".formatted(name), null);
    }

    private Map.Entry<String, Primitive> output() throws OrtException {
        for (var entry : session.getOutputInfo().entrySet()) {
            if (entry.getValue().getInfo() instanceof TensorInfo tensor
                    && (tensor.getShape().length == 1
                            || (tensor.getShape().length == 2 && tensor.getShape()[1] == 1))) {
                switch (tensor.type) {
                    case FLOAT, DOUBLE -> {
                        return Map.entry(entry.getKey(), Primitive.DOUBLE);
                    }
                    case INT64 -> {
                        return Map.entry(entry.getKey(), Primitive.LONG);
                    }
                    default -> {
                        // Another output may be a number.
                    }
                }
            }
        }
        throw bad(file, "its graph has no output of one number a row", null);
    }

    private static boolean isScored(OnnxJavaType type) {
        return switch (type) {
            case FLOAT, DOUBLE, INT64, INT32, BOOL -> true;
            default -> false;
        };
    }

    private static LakemillException bad(
            MlModelFile file, @Nullable String what, @Nullable Exception cause) {
        var problem = "the model %s cannot be scored: %s".formatted(file.onnx(), what);
        var hint = "export a graph of numbers in and one number a row out, with its signature";
        return cause == null
                ? new LakemillException(ErrorCode.INVALID_ARGUMENT, problem, hint)
                : new LakemillException(ErrorCode.INVALID_ARGUMENT, problem, hint, cause);
    }
}
