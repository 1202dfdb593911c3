package dev.lakemill.plan;

import java.util.List;
import java.util.Map;

/**
 * What the compiler's process reads.
 *
 * @param name of the pipeline
 * @param parameters values of {@code ${name}}; SET in the text goes before them
 * @param textHash goes into the plan as it is
 */
public record CompileRequest(
        String name, List<SourceText> files, Map<String, String> parameters, String textHash) {
    public CompileRequest(String name, List<SourceText> files, String textHash) {
        this(name, files, Map.of(), textHash);
    }
}
