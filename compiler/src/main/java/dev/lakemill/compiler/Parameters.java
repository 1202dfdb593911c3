package dev.lakemill.compiler;

import dev.lakemill.plan.Fragment;
import dev.lakemill.plan.Lexer;
import dev.lakemill.plan.NearestName;
import dev.lakemill.plan.SourcePosition;
import dev.lakemill.plan.SourceText;
import dev.lakemill.plan.TextError;
import dev.lakemill.plan.TextRefused;
import dev.lakemill.plan.Token;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * Puts values in the place of {@code ${name}}, before anything else reads the text: those of the
 * pipeline's configuration, and those of {@code SET name = value;} for all text behind it, over the
 * files in their order. A value stands as it was written, quotes included, as Databricks has it.
 * Comments are left alone.
 *
 * <p>Lines stay what they are; {@link #original} finds the column that the user wrote.
 */
final class Parameters {
    private static final Pattern USE = Pattern.compile("\\$\\{([^}\\n]*)}");
    private static final int VALUE_CHARS_MAX = 10_000;

    /** Text put in for other text. */
    private record Edit(int originalStart, int originalEnd, int start, int end) {}

    private record Edited(SourceText original, SourceText text, List<Edit> edits) {}

    private final Map<String, String> values;
    private final Map<String, Edited> files = new HashMap<>();
    private final List<TextError> errors;

    /**
     * @param values of the pipeline's configuration
     */
    Parameters(Map<String, String> values, List<TextError> errors) {
        this.values = new HashMap<>(values);
        this.errors = errors;
    }

    /** The file with its parameters' values; files come in their order. */
    SourceText in(SourceText file) {
        try {
            var edits = new ArrayList<Edit>();
            var text = filled(file, Lexer.tokens(file), edits);
            files.put(file.path(), new Edited(file, text, edits));
            return text;
        } catch (TextRefused _) {
            return file; // the parser tells it again
        }
    }

    /** Where the user wrote what stands at a place of the filled text. */
    SourcePosition original(SourcePosition position) {
        var file = files.get(position.file());
        if (file == null || file.edits().isEmpty()) {
            return position;
        }
        var offset = offset(file.text().text(), position);
        var shift = 0;
        for (var edit : file.edits()) {
            if (offset >= edit.end()) {
                shift = edit.originalEnd() - edit.end();
            } else if (offset >= edit.start()) {
                return Fragment.position(file.original(), edit.originalStart());
            }
        }
        return Fragment.position(file.original(), offset + shift);
    }

    private static int offset(String text, SourcePosition position) {
        var start = 0;
        for (int line = 1; line < position.line(); line++) {
            start = text.indexOf('\n', start) + 1;
        }
        return Math.min(start + position.column() - 1, text.length());
    }

    private SourceText filled(SourceText file, List<Token> tokens, List<Edit> edits) {
        var out = new StringBuilder();
        var copied = 0;
        var first = true;
        for (int i = 0; i < tokens.size(); i++) {
            var token = tokens.get(i);
            if (first && token.isWord("SET")) {
                set(file, tokens, i);
            }
            first = token.isSign(';');
            var uses = USE.matcher(file.text());
            uses.region(token.start(), file.text().length());
            while (holdsUse(token) && uses.find() && uses.start() < token.end()) {
                var value = value(file, uses.group(1).strip(), uses.start());
                out.append(file.text(), copied, uses.start());
                edits.add(
                        new Edit(
                                uses.start(),
                                uses.end(),
                                out.length(),
                                out.length() + value.length()));
                out.append(value);
                copied = uses.end();
            }
        }
        out.append(file.text(), copied, file.text().length());
        return new SourceText(file.path(), out.toString());
    }

    private static boolean holdsUse(Token token) {
        return switch (token.kind()) {
            case STRING, NAME -> true;
            case SIGN -> token.isSign('$');
            case WORD, END -> false;
        };
    }

    /** {@code SET key = value}, whose first token is at {@code at}. */
    private void set(SourceText file, List<Token> tokens, int at) {
        var equals = at;
        var end = at;
        while (!tokens.get(end).isSign(';') && tokens.get(end).kind() != Token.Kind.END) {
            if (equals == at && tokens.get(end).isSign('=')) {
                equals = end;
            }
            end++;
        }
        var key = file.text().substring(tokens.get(at).end(), tokens.get(equals).start()).strip();
        var value =
                equals == at
                        ? ""
                        : file.text()
                                .substring(tokens.get(equals).end(), tokens.get(end).start())
                                .strip();
        if (key.isEmpty() || value.isEmpty() || value.contains("\n")) {
            errors.add(
                    new TextError(
                            Fragment.position(file, tokens.get(at).start()),
                            "SET has no name and value",
                            "write SET name = value; on one line"));
            return;
        }
        values.put(key, inner(file, value, tokens.get(equals).end()));
    }

    /** A value may use values set before it. */
    private String inner(SourceText file, String text, int at) {
        var filled =
                USE.matcher(text)
                        .replaceAll(
                                use ->
                                        java.util.regex.Matcher.quoteReplacement(
                                                value(file, use.group(1).strip(), at)));
        if (filled.length() > VALUE_CHARS_MAX) {
            errors.add(
                    new TextError(
                            Fragment.position(file, at),
                            "the value has more than %,d characters".formatted(VALUE_CHARS_MAX),
                            "a parameter is a short text"));
            return "";
        }
        return filled;
    }

    private String value(SourceText file, String name, int at) {
        var value = values.get(name);
        if (value == null) {
            errors.add(
                    new TextError(
                            Fragment.position(file, at),
                            "there is no parameter '%s'".formatted(name),
                            NearestName.of(name, values.keySet())
                                    .map("did you mean %s?"::formatted)
                                    .orElse(
                                            "write SET %s = value; before it, or set it under the"
                                                            .formatted(name)
                                                    + " pipeline's 'configuration'")));
            return "NULL";
        }
        return value;
    }
}
