package dev.lakemill.compiler;

import dev.lakemill.plan.SourcePosition;
import dev.lakemill.plan.TextRefused;
import java.util.function.Supplier;

/**
 * What Spark itself fails on is refused like any other text, so that no text ends the compiler's
 * process: classes of Spark's that are not shipped, trees too deep for the stack, its own asserts.
 */
final class Guard {
    private Guard() {}

    /**
     * @param position where the text stands
     * @throws TextRefused of the text, whatever failed
     */
    static <T> T guarded(SourcePosition position, Supplier<T> work) {
        try {
            return work.get();
        } catch (TextRefused e) {
            throw e;
        } catch (StackOverflowError _) {
            throw new TextRefused(
                    position, "the text is nested too deeply", "split it by views or subqueries");
        } catch (OutOfMemoryError _) {
            throw new TextRefused(
                    position, "the text needs too much memory to compile", "split it by views");
        } catch (Exception | LinkageError | AssertionError e) {
            // Scala throws checked exceptions without saying so.
            throw new TextRefused(
                    position,
                    "Spark's compiler fails on this text: " + told(e),
                    "leave out what Spark cannot compile here");
        }
    }

    private static String told(Throwable failure) {
        var first = failure;
        while (first.getCause() != null) {
            first = first.getCause();
        }
        return first.getClass().getSimpleName()
                + (first.getMessage() == null
                        ? ""
                        : " " + first.getMessage().lines().findFirst().orElse(""));
    }
}
