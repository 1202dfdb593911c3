package dev.lakemill.compiler;

import dev.lakemill.plan.TextError;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Puts statements behind all that they read, else in the order of the text (depth first). A ring of
 * statements that read each other is an error that names it; all that stand in it are left out.
 */
final class DependencyOrder {
    private enum State {
        ENTERED,
        DONE
    }

    private final Function<Statement, List<Statement>> reads;
    private final Function<Statement, String> names;
    private final Map<Statement, State> states = new HashMap<>();
    private final Deque<Statement> path = new ArrayDeque<>();
    private final List<Statement> ordered = new ArrayList<>();
    private final List<TextError> errors;

    private DependencyOrder(
            Function<Statement, List<Statement>> reads,
            Function<Statement, String> names,
            List<TextError> errors) {
        this.reads = reads;
        this.names = names;
        this.errors = errors;
    }

    static List<Statement> of(
            List<Statement> statements,
            Function<Statement, List<Statement>> reads,
            Function<Statement, String> names,
            List<TextError> errors) {
        var order = new DependencyOrder(reads, names, errors);
        statements.forEach(order::visit);
        return order.ordered;
    }

    private void visit(Statement statement) {
        if (states.get(statement) == State.DONE) {
            return;
        }
        if (states.get(statement) == State.ENTERED) {
            refuse(statement);
            return;
        }
        states.put(statement, State.ENTERED);
        path.addLast(statement);
        reads.apply(statement).forEach(this::visit);
        path.removeLast();
        states.put(statement, State.DONE);
        ordered.add(statement);
    }

    private void refuse(Statement statement) {
        var ring = new ArrayList<Statement>();
        path.stream().dropWhile(s -> !s.equals(statement)).forEach(ring::add);
        ring.add(statement);
        var told = ring.stream().map(names).collect(Collectors.joining(" reads "));
        errors.add(
                new TextError(
                        statement.position(),
                        "the pipeline reads itself: " + told,
                        "take one of these out of the ring"));
    }
}
