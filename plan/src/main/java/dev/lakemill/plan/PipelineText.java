package dev.lakemill.plan;

import java.util.List;
import java.util.Map;

/**
 * What a pipeline is compiled from.
 *
 * @param name of the pipeline
 * @param parameters values of {@code ${name}}
 * @param functions that the files may call
 */
public record PipelineText(
        String name,
        List<SourceText> files,
        Map<String, String> parameters,
        List<JavaFunction> functions) {
    public PipelineText {
        files = List.copyOf(files);
        parameters = Map.copyOf(parameters);
        functions = List.copyOf(functions);
    }
}
