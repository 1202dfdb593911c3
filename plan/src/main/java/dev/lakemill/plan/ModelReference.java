package dev.lakemill.plan;

import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * What a pipeline's text calls a model by, {@code catalog.schema.model@alias} or {@code
 * catalog.schema.model/version}, and what that stands for when the text is compiled.
 */
public sealed interface ModelReference {
    /** The functions whose first argument is a reference. */
    Set<String> FUNCTIONS = Set.of("predict", "model_version");

    String written();

    /**
     * A version, fixed from then on.
     *
     * @param model full name
     * @param inputs one a feature, in order; one that is not nullable must have a value in each row
     * @param output type of the score
     */
    record Resolved(String written, String model, int version, List<Column> inputs, DataType output)
            implements ModelReference {
        public Resolved {
            inputs = List.copyOf(inputs);
        }
    }

    /** Nothing that can be scored; told where the text names it. */
    record Unresolved(String written, String problem, String hint) implements ModelReference {}

    /** Says what a reference stands for now. */
    interface Resolver {
        /** Where no model is. */
        Resolver NONE =
                written ->
                        new Unresolved(
                                written,
                                "there is no model '%s' here".formatted(written),
                                "models are scored in pipelines, by a node that has them");

        ModelReference resolve(String written);
    }

    /** The references in texts, each once, in order. A text that has no end has none. */
    static Set<String> writtenIn(List<SourceText> texts) {
        var found = new LinkedHashSet<String>();
        for (var text : texts) {
            try {
                var tokens = Lexer.tokens(text);
                for (int i = 0; i + 2 < tokens.size(); i++) {
                    if (FUNCTIONS.contains(tokens.get(i).text().toLowerCase(Locale.ROOT))
                            && tokens.get(i + 1).isSign('(')
                            && tokens.get(i + 2).kind() == Token.Kind.STRING) {
                        found.add(tokens.get(i + 2).text());
                    }
                }
            } catch (TextRefused _) {
                // The compiler tells of it, with its place.
            }
        }
        return found;
    }
}
