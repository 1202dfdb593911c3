package dev.lakemill.pipeline;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Writes the folder of a linear model: MLmodel, and a graph of one Gemm in float32; or of one that
 * gives a whole number back.
 */
final class LinearModel {
    static final int INT32 = 6;
    static final int INT64 = 7;
    private static final int FLOAT = 1;

    private LinearModel() {}

    /** score = bias + weights · features, named f1, f2, … unless names are given. */
    static Path write(Path folder, float bias, float... weights) throws IOException {
        var inputs = new StringBuilder();
        for (int i = 1; i <= weights.length; i++) {
            inputs.append(i == 1 ? "" : ", ");
            inputs.append(
                    "{\"type\": \"double\", \"name\": \"f%d\", \"required\": true}".formatted(i));
        }
        return write(folder, onnx(bias, weights), inputs.toString(), "float32");
    }

    /** score = f1, which the graph takes as the type. */
    static Path whole(Path folder, int type) throws IOException {
        var to = new Message().text(1, "to").number(3, INT64).number(20, 2);
        var node = new Message().text(1, "x").text(2, "score").text(4, "Cast").message(5, to);
        var graph =
                new Message()
                        .message(1, node)
                        .text(2, "whole")
                        .message(11, value("x", type, 1))
                        .message(12, value("score", INT64, 1));
        var input = "{\"type\": \"long\", \"name\": \"f1\", \"required\": true}";
        return write(folder, model(graph), input, "int64");
    }

    private static Path write(Path folder, byte[] onnx, String inputs, String output)
            throws IOException {
        Files.createDirectories(folder);
        Files.write(folder.resolve("model.onnx"), onnx);
        Files.writeString(
                folder.resolve("MLmodel"),
                """
                flavors:
                  onnx:
                    data: model.onnx
                    onnx_version: 1.19.0
                signature:
                  inputs: '[%s]'
                  outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "%s", "shape": [-1, 1]}}]'
                """
                        .formatted(inputs, output));
        return folder;
    }

    private static byte[] onnx(float bias, float[] weights) {
        var node = new Message();
        for (var input : new String[] {"x", "w", "b"}) {
            node.text(1, input);
        }
        node.text(2, "score").text(4, "Gemm");
        var graph =
                new Message()
                        .message(1, node)
                        .text(2, "linear")
                        .message(5, tensor("w", weights, weights.length, 1))
                        .message(5, tensor("b", new float[] {bias}, 1))
                        .message(11, value("x", FLOAT, weights.length))
                        .message(12, value("score", FLOAT, 1));
        return model(graph);
    }

    private static byte[] model(Message graph) {
        return new Message()
                .number(1, 8)
                .message(7, graph)
                .message(8, new Message().text(1, "").number(2, 13))
                .bytes();
    }

    private static Message tensor(String name, float[] values, int... shape) {
        var tensor = new Message();
        for (var size : shape) {
            tensor.number(1, size);
        }
        var raw = ByteBuffer.allocate(values.length * 4).order(ByteOrder.LITTLE_ENDIAN);
        raw.asFloatBuffer().put(values);
        return tensor.number(2, FLOAT).text(8, name).field(9, raw.array());
    }

    private static Message value(String name, int type, int width) {
        var shape =
                new Message()
                        .message(1, new Message().text(2, "rows"))
                        .message(1, new Message().number(1, width));
        var tensor = new Message().message(1, new Message().number(1, type).message(2, shape));
        return new Message().text(1, name).message(2, tensor);
    }

    /** A message in protobuf's wire format. */
    private static final class Message {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();

        Message number(int field, long value) {
            varint(field << 3);
            varint(value);
            return this;
        }

        Message text(int field, String value) {
            return field(field, value.getBytes(StandardCharsets.UTF_8));
        }

        Message message(int field, Message value) {
            return field(field, value.bytes());
        }

        Message field(int field, byte[] value) {
            varint((field << 3) | 2);
            varint(value.length);
            out.writeBytes(value);
            return this;
        }

        byte[] bytes() {
            return out.toByteArray();
        }

        private void varint(long value) {
            var left = value;
            while (left > 127) {
                out.write((int) ((left & 127) | 128));
                left >>>= 7;
            }
            out.write((int) left);
        }
    }
}
