package dev.lakemill.capture;

import dev.lakemill.types.DataType;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.BitVector;
import org.apache.arrow.vector.DateDayVector;
import org.apache.arrow.vector.DecimalVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.Float4Vector;
import org.apache.arrow.vector.Float8Vector;
import org.apache.arrow.vector.IntVector;
import org.apache.arrow.vector.SmallIntVector;
import org.apache.arrow.vector.TimeStampVector;
import org.apache.arrow.vector.ValueVector;
import org.apache.arrow.vector.VarBinaryVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.complex.ListVector;
import org.jspecify.annotations.Nullable;

/**
 * Values between Postgres's text form and Arrow's vectors, both ways.
 *
 * <p>What a vector cannot hold (a numeric NaN, a text that is no number after a change of type)
 * becomes NULL; infinite dates and times become the first or last instant of the years 1 and 9999.
 */
final class TextValues {
    private TextValues() {}

    /** Sets a value; one that is null stays NULL, as fresh vectors are. */
    static void set(ValueVector vector, int at, byte @Nullable [] text) {
        if (text == null || PgOutput.isUnchanged(text)) {
            return;
        }
        if (vector instanceof VarCharVector texts) {
            texts.setSafe(at, text);
            return;
        }
        set(vector, at, new String(text, StandardCharsets.UTF_8));
    }

    private static void set(ValueVector vector, int at, String text) {
        try {
            switch (vector) {
                case VarCharVector v -> v.setSafe(at, text.getBytes(StandardCharsets.UTF_8));
                case BigIntVector v -> v.setSafe(at, Long.parseLong(text));
                case IntVector v -> v.setSafe(at, Integer.parseInt(text));
                case SmallIntVector v -> v.setSafe(at, Short.parseShort(text));
                case BitVector v -> v.setSafe(at, truth(text));
                case Float4Vector v -> v.setSafe(at, Float.parseFloat(text));
                case Float8Vector v -> v.setSafe(at, Double.parseDouble(text));
                case DecimalVector v ->
                        v.setSafe(at, decimal(text, v.getScale(), v.getPrecision()));
                case VarBinaryVector v -> v.setSafe(at, binary(text));
                case DateDayVector v -> v.setSafe(at, Math.toIntExact(TextTimes.day(text)));
                case TimeStampVector v -> v.setSafe(at, TextTimes.micros(text));
                case ListVector v -> setList(v, at, elements(text));
                default -> throw new IllegalStateException(vector.getField().toString());
            }
        } catch (IllegalArgumentException | ArithmeticException _) {
            setNull(vector, at);
        }
    }

    private static void setNull(ValueVector vector, int at) {
        if (vector instanceof FieldVector field) {
            field.setNull(at);
        }
    }

    private static int truth(String text) {
        return switch (text) {
            case "t", "true" -> 1;
            case "f", "false" -> 0;
            default -> throw new IllegalArgumentException(text);
        };
    }

    private static BigDecimal decimal(String text, int scale, int precision) {
        var value = new BigDecimal(text).setScale(scale, RoundingMode.HALF_UP);
        if (value.precision() > precision) {
            throw new ArithmeticException(text);
        }
        return value;
    }

    private static byte[] binary(String text) {
        return text.startsWith("\\x")
                ? HexFormat.of().parseHex(text, 2, text.length())
                : text.getBytes(StandardCharsets.UTF_8);
    }

    private static void setList(ListVector vector, int at, List<@Nullable String> elements) {
        int place = vector.startNewValue(at);
        for (var element : elements) {
            if (element != null) {
                set(vector.getDataVector(), place, element);
            }
            place++;
        }
        vector.endValue(at, elements.size());
    }

    /** The elements of an array in row-major order, whatever its dimensions and bounds. */
    static List<@Nullable String> elements(String text) {
        var elements = new ArrayList<@Nullable String>();
        int i = text.indexOf('{');
        if (i < 0) {
            throw new IllegalArgumentException(text);
        }
        while (i < text.length()) {
            char c = text.charAt(i);
            if (c == '{' || c == '}' || c == ',') {
                i++;
            } else if (c == '"') {
                var element = new StringBuilder();
                for (i++; text.charAt(i) != '"'; i++) {
                    i += text.charAt(i) == '\\' ? 1 : 0;
                    element.append(text.charAt(i));
                }
                i++;
                elements.add(element.toString());
            } else {
                int end = i;
                while (",}".indexOf(text.charAt(end)) < 0) {
                    end++;
                }
                var element = text.substring(i, end);
                elements.add(element.equals("NULL") ? null : element);
                i = end;
            }
        }
        return elements;
    }

    /** A value as Postgres would write it, or nearly; null for NULL. */
    static byte @Nullable [] get(FieldVector vector, int at) {
        if (vector.isNull(at)) {
            return null;
        }
        return vector instanceof VarCharVector texts
                ? texts.get(at)
                : text(vector, at).getBytes(StandardCharsets.UTF_8);
    }

    private static String text(ValueVector vector, int at) {
        return switch (vector) {
            case BitVector v -> v.get(at) == 1 ? "t" : "f";
            case DecimalVector v -> v.getObject(at).toPlainString();
            case VarBinaryVector v -> "\\x" + HexFormat.of().formatHex(v.get(at));
            case DateDayVector v -> TextTimes.day(v.get(at));
            case TimeStampVector v -> TextTimes.micros(v.get(at));
            case ListVector v -> list(v, at);
            default -> String.valueOf(vector.getObject(at));
        };
    }

    /** The one text for equal values of a type, as {@link #get} gives it. */
    static String canonical(DataType type, byte[] value) {
        var text = new String(value, StandardCharsets.UTF_8);
        try {
            return switch (type) {
                case DataType.Primitive.DATE -> TextTimes.day(Math.toIntExact(TextTimes.day(text)));
                case DataType.Primitive.TIMESTAMP, DataType.Primitive.TIMESTAMP_NTZ ->
                        TextTimes.micros(TextTimes.micros(text));
                case DataType.Primitive.FLOAT -> String.valueOf(Float.parseFloat(text));
                case DataType.Primitive.DOUBLE -> String.valueOf(Double.parseDouble(text));
                case DataType.Decimal d -> decimal(text, d.scale(), d.precision()).toPlainString();
                case DataType.Array _ -> elements(text).toString();
                default -> text;
            };
        } catch (IllegalArgumentException | ArithmeticException _) {
            return text;
        }
    }

    private static String list(ListVector vector, int at) {
        var text = new StringBuilder("{");
        var elements = vector.getDataVector();
        for (int i = vector.getElementStartIndex(at); i < vector.getElementEndIndex(at); i++) {
            text.append(text.length() > 1 ? "," : "");
            if (elements.isNull(i)) {
                text.append("NULL");
            } else {
                var element = text(elements, i).replace("\\", "\\\\").replace("\"", "\\\"");
                text.append('"').append(element).append('"');
            }
        }
        return text.append('}').toString();
    }
}
