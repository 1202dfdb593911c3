package dev.lakemill.plan;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** What became of a pipeline's text. */
public sealed interface Compilation {
    /**
     * @throws LakemillException INVALID_ARGUMENT with all errors if the text has any
     */
    PipelinePlan orThrow();

    record Compiled(PipelinePlan plan) implements Compilation {
        @Override
        public PipelinePlan orThrow() {
            return plan;
        }
    }

    /**
     * The columns of files are needed, to go on.
     *
     * @param files by the names of the tables that hold their rows; at least one
     */
    record FilesUnknown(String name, Map<String, FileSource> files) implements Compilation {
        @Override
        public PipelinePlan orThrow() {
            throw new LakemillException(
                    ErrorCode.FAILED_PRECONDITION,
                    "pipeline '%s' reads files whose columns are not known".formatted(name),
                    "give them with schema => 'name TYPE, …'");
        }
    }

    /**
     * @param errors at least one, in the order of the text
     */
    record Rejected(String name, List<TextError> errors) implements Compilation {
        @Override
        public PipelinePlan orThrow() {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    errors.stream()
                            .map(TextError::toString)
                            .collect(
                                    Collectors.joining(
                                            "\n  ",
                                            "pipeline '%s' does not compile:\n  ".formatted(name),
                                            "")),
                    "mend the text and compile it again");
        }
    }
}
