package dev.lakemill.server;

import dev.lakemill.agents.runtime.AgentFigures;
import dev.lakemill.agents.runtime.AgentStore;
import dev.lakemill.types.LakemillException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What is measured of agents. It is counted in Postgres, at most once in {@value #OLD_SECONDS} s
 * however often somebody asks; without Postgres there are no values.
 */
final class AgentMetrics {
    private static final int OLD_SECONDS = 10;
    private static final AgentFigures NOTHING =
            new AgentFigures(List.of(), List.of(), List.of(), List.of());
    private static final List<String> AGENT = List.of("agent");
    private static final List<String> AGENT_STATUS = List.of("agent", "status");
    private static final List<String> AGENT_STATE = List.of("agent", "state");

    private final AgentStore store;
    private @Nullable AgentFigures read;
    private long readNanos;

    private AgentMetrics(AgentStore store) {
        this.store = store;
    }

    static void add(Metrics metrics, AgentStore store) {
        var agents = new AgentMetrics(store);
        metrics.gauges(
                "lakemill_agent_runs",
                "runs that are kept, by status",
                AGENT_STATUS,
                agents.told(
                        AgentFigures::runs,
                        (sink, x) -> sink.value(x.count(), x.agent(), x.status())));
        metrics.gauges(
                "lakemill_agent_tokens",
                "that runs which are kept have used of models",
                AGENT_STATUS,
                agents.told(
                        AgentFigures::runs,
                        (sink, x) -> sink.value(x.tokens(), x.agent(), x.status())));
        metrics.gauges(
                "lakemill_agent_cost_usd",
                "that models have cost runs which are kept",
                AGENT_STATUS,
                agents.told(
                        AgentFigures::runs,
                        (sink, x) -> sink.value(x.costMicros() / 1e6, x.agent(), x.status())));
        metrics.gauges(
                "lakemill_agent_takeovers",
                "times that runs which are kept went on in another worker",
                AGENT_STATUS,
                agents.told(
                        AgentFigures::runs,
                        (sink, x) -> sink.value(x.takeovers(), x.agent(), x.status())));
        metrics.gauges(
                "lakemill_agent_approvals_waiting",
                "for people",
                AGENT,
                agents.told(
                        AgentFigures::approvals, (sink, x) -> sink.value(x.count(), x.agent())));
        metrics.gauges(
                "lakemill_agent_approval_oldest_seconds",
                "how long the oldest approval has waited",
                AGENT,
                agents.told(
                        AgentFigures::approvals,
                        (sink, x) -> sink.value(x.oldestSeconds(), x.agent())));
        metrics.gauges(
                "lakemill_agent_effects",
                "changes in the database and outside, by state",
                AGENT_STATE,
                agents.told(
                        AgentFigures::effects,
                        (sink, x) -> sink.value(x.count(), x.agent(), x.state())));
        metrics.gauges(
                "lakemill_agent_mails",
                "e-mail, by state",
                AGENT_STATE,
                agents.told(
                        AgentFigures::mails,
                        (sink, x) -> sink.value(x.count(), x.agent(), x.state())));
    }

    private interface Tell<T> {
        void tell(Metrics.Sink sink, T of);
    }

    private <T> java.util.function.Consumer<Metrics.Sink> told(
            Function<AgentFigures, List<T>> part, Tell<T> tell) {
        return sink -> part.apply(figures()).forEach(one -> tell.tell(sink, one));
    }

    private synchronized AgentFigures figures() {
        var now = System.nanoTime();
        var known = read;
        if (known == null || now - readNanos > TimeUnit.SECONDS.toNanos(OLD_SECONDS)) {
            try {
                known = store.figures();
            } catch (LakemillException _) {
                known = NOTHING;
            }
            read = known;
            readNanos = now;
        }
        return known;
    }
}
