package dev.lakemill.plan;

/**
 * A part of a file, whose places are told as places of the file.
 *
 * @param start the first character
 * @param end behind the last character
 */
public record Fragment(SourceText source, int start, int end) {
    public static Fragment all(SourceText source) {
        return new Fragment(source, 0, source.text().length());
    }

    public String text() {
        return source.text().substring(start, end);
    }

    public SourcePosition position() {
        return position(source, start);
    }

    /** The place of a code point of this fragment; that is how Spark's parser counts. */
    public SourcePosition position(int codePoint) {
        var text = text();
        var reach = Math.min(codePoint, text.codePointCount(0, text.length()));
        return position(source, start + text.offsetByCodePoints(0, reach));
    }

    /** The place of a line, from 1, and a code point in it, from 0, of this fragment. */
    public SourcePosition position(int line, int codePoint) {
        var text = text();
        var lineStart = 0;
        for (int i = 1; i < line; i++) {
            var next = text.indexOf('\n', lineStart);
            lineStart = next < 0 ? lineStart : next + 1;
        }
        return position(text.codePointCount(0, lineStart) + codePoint);
    }

    public static SourcePosition position(SourceText source, int offset) {
        var before = source.text().substring(0, offset);
        var line = 1 + (int) before.chars().filter(c -> c == '\n').count();
        return new SourcePosition(source.path(), line, offset - before.lastIndexOf('\n'));
    }
}
