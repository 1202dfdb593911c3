package dev.lakemill.plan;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.util.List;
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
