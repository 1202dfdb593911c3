package dev.lakemill.api.agent;

import org.jspecify.annotations.Nullable;

/**
 * A durable agent: ordinary code whose steps are kept in Postgres.
 *
 * <p>{@link #run} may be begun again at any time, from its first line, by another process: a step
 * that is recorded then gives what it gave before, without asking a model, a table or another
 * system again. So the code between steps has to do the same each time: it takes the time, random
 * numbers and whatever else changes from steps, such as {@link AgentRun#note}.
 */
public interface Agent {
    /**
     * Works on one run.
     *
     * @return what the run came to: a record, a map or anything else that Jackson writes as JSON
     * @throws Exception ends the attempt. A {@link dev.lakemill.types.LakemillException} with
     *     UNAVAILABLE or RESOURCE_EXHAUSTED, and a {@link java.sql.SQLException} of a lost
     *     connection, is tried again later; everything else ends the run
     */
    @Nullable Object run(AgentRun run) throws Exception;
}
