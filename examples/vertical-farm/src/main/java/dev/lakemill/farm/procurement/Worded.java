package dev.lakemill.farm.procurement;

import dev.lakemill.api.agent.AgentRun;
import dev.lakemill.api.agent.Prompt;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.sql.SQLException;

/**
 * What a model wrote, or our template where there is no model or its answers do not fit.
 *
 * @param model that wrote it; {@code template} for ours
 */
record Worded<T>(T value, String model) {
    /** The gateway's first endpoint; without a model a template, which says so. */
    private static final String ENDPOINT = "default";

    private static final String TEMPLATE = "template";

    /** Asks for it, as the run's step of that name. */
    static <T> Worded<T> of(AgentRun run, String name, Prompt prompt, Class<T> type, T template)
            throws SQLException {
        try {
            var answer = run.ask(name, ENDPOINT, prompt, type);
            return new Worded<>(
                    answer.model().equals(TEMPLATE) ? template : answer.value(), answer.model());
        } catch (LakemillException e) {
            if (e.code() != ErrorCode.FAILED_PRECONDITION) {
                throw e;
            }
            return new Worded<>(template, TEMPLATE);
        }
    }

    /** As the tables say it: {@code model} or {@code template}. */
    String draftedBy() {
        return model.equals(TEMPLATE) ? TEMPLATE : "model";
    }
}
