package dev.lakemill.types;

import dev.lakemill.types.DataType.Primitive;
import java.util.ArrayList;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Recursive descent over the DDL text of one type. One use per text; not thread-safe. */
final class DataTypeParser {
    private final String text;
    private int at;

    DataTypeParser(String text) {
        this.text = text;
    }

    DataType parse() {
        var type = type();
        skipSpace();
        if (at < text.length()) {
            throw bad();
        }
        return type;
    }

    private DataType type() {
        var word = word().toUpperCase(Locale.ROOT);
        return switch (word) {
            case "DECIMAL", "DEC", "NUMERIC" -> decimal();
            case "ARRAY" -> array();
            case "MAP" -> map();
            case "STRUCT" -> struct();
            default -> primitive(word);
        };
    }

    private DataType primitive(String word) {
        return switch (word) {
            case "BYTE" -> Primitive.BYTE;
            case "SHORT" -> Primitive.SHORT;
            case "INTEGER" -> Primitive.INTEGER;
            case "LONG" -> Primitive.LONG;
            case "REAL" -> Primitive.FLOAT;
            case "TIMESTAMP_LTZ" -> Primitive.TIMESTAMP;
            case "VARCHAR", "CHAR" -> {
                if (accept('(')) {
                    number();
                    expect(')');
                }
                yield Primitive.STRING;
            }
            default -> {
                var found = find(word);
                if (found == null) {
                    throw bad();
                }
                yield found;
            }
        };
    }

    private static @Nullable Primitive find(String word) {
        for (var p : Primitive.values()) {
            if (p.sql().equals(word)) {
                return p;
            }
        }
        return null;
    }

    private DataType decimal() {
        if (!accept('(')) {
            return new DataType.Decimal(10, 0);
        }
        var precision = number();
        var scale = accept(',') ? number() : 0;
        expect(')');
        return new DataType.Decimal(precision, scale);
    }

    private DataType array() {
        expect('<');
        var element = type();
        expect('>');
        return new DataType.Array(element, true);
    }

    private DataType map() {
        expect('<');
        var key = type();
        expect(',');
        var value = type();
        expect('>');
        return new DataType.Map(key, value, true);
    }

    private DataType struct() {
        expect('<');
        var fields = new ArrayList<Column>();
        do {
            var name = word();
            accept(':');
            var type = type();
            fields.add(new Column(name, type, !acceptWord("NOT NULL"), ""));
        } while (accept(','));
        expect('>');
        return new DataType.Struct(fields);
    }

    private String word() {
        skipSpace();
        var from = at;
        while (at < text.length()
                && (Character.isLetterOrDigit(text.charAt(at)) || text.charAt(at) == '_')) {
            at++;
        }
        if (from == at) {
            throw bad();
        }
        return text.substring(from, at);
    }

    private int number() {
        try {
            return Integer.parseInt(word());
        } catch (NumberFormatException e) {
            throw bad();
        }
    }

    private boolean accept(char c) {
        skipSpace();
        if (at < text.length() && text.charAt(at) == c) {
            at++;
            return true;
        }
        return false;
    }

    private boolean acceptWord(String words) {
        skipSpace();
        if (text.regionMatches(true, at, words, 0, words.length())) {
            at += words.length();
            return true;
        }
        return false;
    }

    private void expect(char c) {
        if (!accept(c)) {
            throw bad();
        }
    }

    private void skipSpace() {
        while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
            at++;
        }
    }

    private LakemillException bad() {
        return new LakemillException(
                ErrorCode.INVALID_ARGUMENT,
                "'%s' is not a column type (at character %d)".formatted(text, at + 1),
                "use Spark's names, for example BIGINT, STRING, DECIMAL(10,4), ARRAY<STRING>");
    }
}
