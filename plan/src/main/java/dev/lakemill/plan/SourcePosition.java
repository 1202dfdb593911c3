package dev.lakemill.plan;

/**
 * A place in a pipeline's text.
 *
 * @param file as the user named it
 * @param line from 1
 * @param column from 1
 */
public record SourcePosition(String file, int line, int column) {
    @Override
    public String toString() {
        return file + ":" + line + ":" + column;
    }
}
