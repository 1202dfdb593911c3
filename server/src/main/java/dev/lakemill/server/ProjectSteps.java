package dev.lakemill.server;

import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * What {@code plan} and {@code apply} of a part of the project file do with its steps.
 *
 * @param print a line for people
 * @param line what a step is, for people
 * @param none what is told when the file declares nothing
 */
record ProjectSteps<S>(Consumer<String> print, Function<S, String> line, String none) {
    /** Tells the steps. */
    int plan(List<S> steps) {
        return each(steps, _ -> {});
    }

    /** Does one after the other, and tells each when it is done. */
    int apply(List<S> steps, Consumer<S> apply) {
        return each(steps, apply);
    }

    private int each(List<S> steps, Consumer<S> apply) {
        for (var step : steps) {
            apply.accept(step);
            print.accept(line.apply(step));
        }
        if (steps.isEmpty()) {
            print.accept(none);
        }
        return 0;
    }
}
