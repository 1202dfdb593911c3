package dev.lakemill.ingest;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads messages of one type by their descriptor's field numbers and writes them in the log's row
 * form. Belongs to one stream; not thread-safe.
 *
 * <p>Everyday messages pass at once by {@link ProtoPass}. Others are scanned once for where their
 * values stand. Where numbers and types are those of the log already and no field comes twice, the
 * bytes are checked and pass unchanged; otherwise each column is written from its spans, which
 * copes with any order, packing and merging that the wire format allows.
 */
final class ProtoMessage {
    /** In order of number. */
    private final ProtoField[] fields;

    private final int[] numbers;
    private final boolean passes;
    private final @Nullable ProtoPass pass;
    private final ProtoSpans spans;
    private final WireReader reader = new WireReader();

    ProtoMessage(List<ProtoField> fields) {
        this.fields =
                fields.stream()
                        .sorted(Comparator.comparingInt(f -> f.number))
                        .toArray(ProtoField[]::new);
        this.numbers = Arrays.stream(this.fields).mapToInt(f -> f.number).toArray();
        this.passes = fields.stream().allMatch(ProtoField::passes);
        this.pass = ProtoPass.of(this.fields);
        this.spans = new ProtoSpans(this.fields.length);
    }

    /** Whether messages may pass unchanged, if their bytes are so. */
    boolean passes() {
        return passes;
    }

    /** Appends the row of a message, passing its bytes where that may be. */
    void append(byte[] bytes, int from, int to, RowWriter out) {
        if (passesAtOnce(bytes, from, to) || (passes && check(bytes, from, to))) {
            out.bytes(bytes, from, to);
        } else {
            write(bytes, from, to, out);
        }
    }

    /** Whether an everyday message passes; false says nothing. */
    boolean passesAtOnce(byte[] bytes, int from, int to) {
        return pass != null && pass.check(bytes, from, to);
    }

    /** Checks a message that may pass; false when it may not after all. */
    boolean check(byte[] bytes, int from, int to) {
        scan(bytes, from, to);
        boolean same = true;
        for (int i = 0; i < fields.length; i++) {
            if (spans.first(i) == ProtoSpans.NONE) {
                checkAbsent(fields[i]);
            } else {
                same &= check(i);
            }
        }
        return same;
    }

    private boolean check(int field) {
        try {
            return fields[field].check(spans, field);
        } catch (RefusedRow e) {
            throw e.inside(fields[field].name);
        }
    }

    /** Writes the message column by column, without tag and length. */
    void write(byte[] bytes, int from, int to, RowWriter out) {
        scan(bytes, from, to);
        for (int i = 0; i < fields.length; i++) {
            if (spans.first(i) == ProtoSpans.NONE) {
                checkAbsent(fields[i]);
            }
            try {
                fields[i].write(spans, i, out);
            } catch (RefusedRow e) {
                throw e.inside(fields[i].name);
            }
        }
    }

    /** Finds where the values stand. */
    void scan(byte[] bytes, int from, int to) {
        spans.clear(bytes);
        reader.on(bytes, from, to);
        int guess = 0;
        while (reader.hasMore()) {
            int tag = reader.tag();
            int field = field(tag >>> 3, guess);
            guess = field + 1;
            int wireType = tag & 7;
            if (!fields[field].takes(wireType)) {
                throw RefusedRow.value(
                                "came with wire type %d, which is not its type's"
                                        .formatted(wireType),
                                "send bytes that the descriptor's type serialized")
                        .inside(fields[field].name);
            }
            add(field, wireType);
        }
    }

    private void add(int field, int wireType) {
        int start = reader.at();
        switch (wireType) {
            case RowWriter.VARINT -> reader.varint();
            case RowWriter.FIXED64 -> reader.fixed64();
            case RowWriter.FIXED32 -> reader.fixed32();
            default -> {
                int length = reader.length();
                start = reader.at();
                reader.skip(length);
            }
        }
        spans.add(field, start, reader.at(), wireType == RowWriter.LENGTH);
    }

    /** The field with a number; {@code guess} is the one that mostly comes next. */
    private int field(int number, int guess) {
        if (guess < numbers.length && numbers[guess] == number) {
            return guess;
        }
        int found = Arrays.binarySearch(numbers, number);
        if (found < 0) {
            throw RefusedRow.value(
                    "holds field %d, which the stream's descriptor does not have".formatted(number),
                    "open the stream with the descriptor of what it sends");
        }
        return found;
    }

    /** The bytes of a field's last value after {@link #scan}; its type's default when absent. */
    byte[] lastValue(int field, ProtoType type) {
        int span = spans.last(field);
        if (span != ProtoSpans.NONE) {
            return Arrays.copyOfRange(spans.bytes(), spans.from(span), spans.to(span));
        }
        return switch (type.wireType()) {
            case RowWriter.VARINT -> new byte[1];
            case RowWriter.FIXED32 -> new byte[Integer.BYTES];
            case RowWriter.FIXED64 -> new byte[Long.BYTES];
            default -> new byte[0];
        };
    }

    private static void checkAbsent(ProtoField field) {
        if (field.required) {
            throw RefusedRow.value("is NOT NULL, but has no value", "send a value for it")
                    .inside(field.name);
        }
    }
}
