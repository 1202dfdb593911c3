package dev.lakemill.plan;

import java.util.List;
import java.util.Map;

/**
 * What the compiler's process reads.
 *
 * @param name of the pipeline
 * @param parameters values of {@code ${name}}; SET in the text goes before them
 * @param found the columns of files, as far as they are known
 * @param tables that others write, among those that the text may read
 * @param models each that the files refer to
 * @param functions of jars that the files may call
 * @param textHash goes into the plan as it is
 */
public record CompileRequest(
        String name,
        List<SourceText> files,
        Map<String, String> parameters,
        List<FileSchema> found,
        List<KnownTable> tables,
        List<ModelReference> models,
        List<JavaFunction> functions,
        String textHash) {
    /** Of a text that reads only what it declares. */
    public CompileRequest(
            String name, List<SourceText> files, Map<String, String> parameters, String textHash) {
        this(name, files, parameters, List.of(), List.of(), List.of(), List.of(), textHash);
    }

    public CompileRequest(String name, List<SourceText> files, String textHash) {
        this(name, files, Map.of(), textHash);
    }
}
