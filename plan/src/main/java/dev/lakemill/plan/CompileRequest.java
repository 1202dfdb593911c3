package dev.lakemill.plan;

import java.util.List;

/**
 * What the compiler's process reads.
 *
 * @param name of the pipeline
 * @param textHash goes into the plan as it is
 */
public record CompileRequest(String name, List<SourceText> files, String textHash) {}
