package dev.lakemill.agents.gateway;

import dev.lakemill.catalog.Caller;

/** Asks models, on a caller's account. Blocks; safe to use from any thread. */
public interface ModelGateway {
    /**
     * One answer, whole. It is accounted before this returns. A call that throws may have been
     * answered and paid for: who must not ask twice records the answer before using it.
     *
     * @throws ModelProblem when there is none, which says whether asking again can help
     */
    ChatAnswer chat(Caller caller, ChatRequest request);
}
