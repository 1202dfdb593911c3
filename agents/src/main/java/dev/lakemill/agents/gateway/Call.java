package dev.lakemill.agents.gateway;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.concurrent.Semaphore;

/**
 * A call under way.
 *
 * @param place among the endpoint's calls, given back at the end
 */
record Call(
        Spend.Reserved reserved,
        Semaphore place,
        ObjectNode request,
        int outputMax,
        Used used,
        long begunNanos) {
    EndpointConfig endpoint() {
        return reserved.planned().endpoint();
    }

    String id() {
        return reserved.planned().requestId().toString();
    }

    long elapsedMs() {
        return (System.nanoTime() - begunNanos) / 1_000_000;
    }
}
