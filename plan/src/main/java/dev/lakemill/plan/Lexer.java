package dev.lakemill.plan;

import java.util.ArrayList;
import java.util.List;

/**
 * Cuts a pipeline's text into tokens as Spark's lexer does where statements and clauses are told
 * apart: line comments, nested block comments, strings with back-slash escapes, raw strings, names
 * in back-ticks. One use per text; not thread-safe.
 */
public final class Lexer {
    private final SourceText source;
    private final String text;
    private int at;

    private Lexer(SourceText source) {
        this.source = source;
        this.text = source.text();
    }

    /**
     * The tokens; the last one is END.
     *
     * @throws TextRefused if a quote or a comment has no end
     */
    public static List<Token> tokens(SourceText source) {
        var lexer = new Lexer(source);
        var tokens = new ArrayList<Token>();
        do {
            tokens.add(lexer.next());
        } while (tokens.getLast().kind() != Token.Kind.END);
        return tokens;
    }

    private Token next() {
        skipSpaceAndComments();
        if (at == text.length()) {
            return new Token(Token.Kind.END, "", at, at);
        }
        var start = at;
        var c = text.charAt(at);
        if (isRawString()) {
            return rawString();
        }
        if (c == '\'' || c == '"') {
            return string();
        }
        if (c == '`') {
            return name();
        }
        if (isWordPart(c)) {
            while (at < text.length() && isWordPart(text.charAt(at))) {
                at++;
            }
            return new Token(Token.Kind.WORD, text.substring(start, at), start, at);
        }
        at++;
        return new Token(Token.Kind.SIGN, text.substring(start, at), start, at);
    }

    private void skipSpaceAndComments() {
        while (at < text.length()) {
            if (Character.isWhitespace(text.charAt(at)) || text.charAt(at) == '\uFEFF') {
                at++;
            } else if (text.startsWith("--", at)) {
                var end = text.indexOf('\n', at);
                at = end < 0 ? text.length() : end;
            } else if (text.startsWith("/*", at)) {
                skipBlockComment();
            } else {
                return;
            }
        }
    }

    private void skipBlockComment() {
        var start = at;
        var depth = 0;
        do {
            if (text.startsWith("/*", at)) {
                depth++;
                at += 2;
            } else if (text.startsWith("*/", at)) {
                depth--;
                at += 2;
            } else if (at >= text.length()) {
                throw unended(start, "this comment has no end", "close it with */");
            } else {
                at++;
            }
        } while (depth > 0);
    }

    private boolean isRawString() {
        var c = text.charAt(at);
        return (c == 'r' || c == 'R')
                && at + 1 < text.length()
                && (text.charAt(at + 1) == '\'' || text.charAt(at + 1) == '"');
    }

    private Token rawString() {
        var start = at;
        var end = text.indexOf(text.charAt(at + 1), at + 2);
        if (end < 0) {
            throw unended(start, "this string has no end", "close it with its quote");
        }
        at = end + 1;
        return new Token(Token.Kind.STRING, text.substring(start + 2, end), start, at);
    }

    private Token string() {
        var start = at;
        var quote = text.charAt(at++);
        var value = new StringBuilder();
        while (at < text.length()) {
            var c = text.charAt(at++);
            if (c == '\\' && at < text.length()) {
                value.append(unescaped(text.charAt(at++)));
            } else if (c == quote && at < text.length() && text.charAt(at) == quote) {
                value.append(quote);
                at++;
            } else if (c == quote) {
                return new Token(Token.Kind.STRING, value.toString(), start, at);
            } else {
                value.append(c);
            }
        }
        throw unended(start, "this string has no end", "close it with " + quote);
    }

    private static char unescaped(char c) {
        return switch (c) {
            case 'n' -> '\n';
            case 't' -> '\t';
            default -> c;
        };
    }

    private Token name() {
        var start = at++;
        var value = new StringBuilder();
        while (at < text.length()) {
            var c = text.charAt(at++);
            if (c != '`') {
                value.append(c);
            } else if (at < text.length() && text.charAt(at) == '`') {
                value.append(c);
                at++;
            } else {
                return new Token(Token.Kind.NAME, value.toString(), start, at);
            }
        }
        throw unended(start, "this name has no end", "close it with `");
    }

    private static boolean isWordPart(char c) {
        return Character.isLetterOrDigit(c) || c == '_';
    }

    private TextRefused unended(int start, String message, String hint) {
        return new TextRefused(Fragment.position(source, start), message, hint);
    }
}
