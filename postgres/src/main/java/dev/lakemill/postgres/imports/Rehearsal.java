package dev.lakemill.postgres.imports;

import dev.lakemill.postgres.Postgres;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.postgresql.util.PSQLState;

/**
 * Takes every step of an import without its rows, in a transaction that is undone: so what this
 * Postgres does not take is known before anything is written, and in which order the rest goes.
 *
 * <p>A step that fails waits for the others, for it may need one of them; when a round helps none,
 * those that are left cannot be taken. Functions that need what comes after the rows come there.
 */
final class Rehearsal {
    private static final int REFUSALS_SHOWN_MAX = 30;
    private static final int ATTEMPTS_MAX = 5;

    /** Steps in the order in which they can be taken. */
    record Order(List<Blueprint.Step> before, List<Blueprint.Step> after) {}

    private final Connection target;
    private final Set<String> leftOut;
    private final List<Blueprint.Refusal> refusals = new ArrayList<>();

    private Rehearsal(Connection target, Set<String> leftOut) {
        this.target = target;
        this.leftOut = leftOut;
    }

    /**
     * @throws LakemillException FAILED_PRECONDITION that names all that cannot be moved
     */
    static Order of(Connection target, Blueprint blueprint, Set<String> leftOut)
            throws SQLException {
        var rehearsal = new Rehearsal(target, leftOut);
        rehearsal.refusals.addAll(blueprint.refusals());
        try {
            var order = rehearsal.order(blueprint);
            if (!rehearsal.refusals.isEmpty()) {
                throw refused(rehearsal.refusals);
            }
            return order;
        } finally {
            target.rollback();
        }
    }

    private Order order(Blueprint blueprint) throws SQLException {
        prepare(target);
        var order = new Order(new ArrayList<>(), new ArrayList<>());
        refuse(take(blueprint.bases(), order.before()));
        asObjects(target);
        var left = take(blueprint.before(), order.before());
        var later = left.stream().filter(f -> isRoutine(f.step())).map(Failed::step).toList();
        refuse(left.stream().filter(f -> !isRoutine(f.step())).toList());
        var after = new ArrayList<>(later);
        after.addAll(blueprint.after());
        refuse(take(after, order.after()));
        return order;
    }

    private static boolean isRoutine(Blueprint.Step step) {
        return step.object().startsWith("function ") || step.object().startsWith("procedure ");
    }

    /** What goes with a table or view that stays behind stays behind with it. */
    private boolean isOfLeftOut(Blueprint.Step step) {
        var object = step.object();
        var on = object.substring(object.lastIndexOf(" on ") + 1);
        return object.startsWith("comment on ")
                || object.startsWith("owner of sequence ")
                || leftOut.contains("table " + on.substring(Math.min(3, on.length())))
                || leftOut.contains("view " + on.substring(Math.min(3, on.length())));
    }

    private record Failed(Blueprint.Step step, SQLException cause) {}

    /** Adds those that were taken, in order; returns those that never could be. */
    private List<Failed> take(List<Blueprint.Step> steps, List<Blueprint.Step> taken)
            throws SQLException {
        var waiting = steps;
        while (true) {
            var failed = new ArrayList<Failed>();
            for (var step : waiting) {
                try {
                    run(target, step);
                    taken.add(step);
                } catch (SQLException e) {
                    failed.add(new Failed(step, e));
                }
            }
            if (failed.isEmpty() || failed.size() == waiting.size()) {
                return failed;
            }
            waiting = failed.stream().map(Failed::step).toList();
        }
    }

    private void refuse(List<Failed> failed) {
        for (var one : failed) {
            if (isOfLeftOut(one.step())) {
                continue;
            }
            var message = String.valueOf(one.cause().getMessage()).lines().findFirst().orElse("");
            refusals.add(
                    new Blueprint.Refusal(
                            one.step().object(),
                            message.replaceFirst("^ERROR: ", ""),
                            "mend it there, or leave it out"));
        }
    }

    private static LakemillException refused(List<Blueprint.Refusal> refusals) {
        var lines =
                refusals.stream()
                        .limit(REFUSALS_SHOWN_MAX)
                        .map(refusal -> "\n  " + refusal)
                        .collect(Collectors.joining());
        var more = refusals.size() - REFUSALS_SHOWN_MAX;
        return new LakemillException(
                ErrorCode.FAILED_PRECONDITION,
                "nothing was written, for %d %s cannot be moved:%s%s"
                        .formatted(
                                refusals.size(),
                                refusals.size() == 1 ? "object" : "objects",
                                lines,
                                more > 0 ? "\n  and %d more".formatted(more) : ""),
                "mend each in the source, or leave it behind with --leave-out '%s'"
                        .formatted(refusals.getFirst().object()));
    }

    /**
     * Undoes the step alone when it fails. A schema that somebody makes at the same moment is not
     * there yet for IF NOT EXISTS, and the next time it is.
     */
    static void run(Connection target, Blueprint.Step step) throws SQLException {
        for (int attempt = 1; ; attempt++) {
            var point = target.setSavepoint();
            try (var statement = target.createStatement()) {
                statement.execute(step.command());
                target.releaseSavepoint(point);
                return;
            } catch (SQLException e) {
                target.rollback(point);
                var again = PSQLState.UNIQUE_VIOLATION.getState().equals(e.getSQLState());
                if (!again || attempt == ATTEMPTS_MAX) {
                    throw e;
                }
            }
        }
    }

    /** Names in commands are whole; bodies of functions are checked when they run. */
    static void prepare(Connection target) throws SQLException {
        try (var statement = target.createStatement()) {
            statement.execute(
                    "SET LOCAL search_path = ''; SET LOCAL check_function_bodies = off;"
                            + " SET LOCAL statement_timeout = 0");
        }
    }

    /** What is made from here on belongs to the role of governed tables. */
    static void asObjects(Connection target) throws SQLException {
        try (var statement = target.createStatement()) {
            statement.execute("SET LOCAL ROLE " + Postgres.OBJECTS_ROLE);
        }
    }
}
