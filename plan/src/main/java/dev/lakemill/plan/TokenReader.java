package dev.lakemill.plan;

import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** Walks over the tokens of a file and tells what was expected where. Not thread-safe. */
public final class TokenReader {
    private final SourceText source;
    private final List<Token> tokens;
    private int at;

    public TokenReader(SourceText source, List<Token> tokens) {
        this.source = source;
        this.tokens = tokens;
    }

    public Token peek() {
        return tokens.get(at);
    }

    /** A token behind the next one; END behind the end. */
    public Token peek(int ahead) {
        return tokens.get(Math.min(at + ahead, tokens.size() - 1));
    }

    public Token next() {
        var token = tokens.get(at);
        if (token.kind() != Token.Kind.END) {
            at++;
        }
        return token;
    }

    public boolean atEnd() {
        return peek().kind() == Token.Kind.END;
    }

    public SourcePosition position() {
        return position(peek());
    }

    public SourcePosition position(Token token) {
        return Fragment.position(source, token.start());
    }

    /** Takes the words if all of them come next. */
    public boolean accept(String... words) {
        for (int i = 0; i < words.length; i++) {
            if (!tokens.get(Math.min(at + i, tokens.size() - 1)).isWord(words[i])) {
                return false;
            }
        }
        at += words.length;
        return true;
    }

    public boolean accept(char sign) {
        if (!peek().isSign(sign)) {
            return false;
        }
        at++;
        return true;
    }

    /** Takes the two signs if both come next. */
    public boolean accept(char first, char second) {
        if (!peek().isSign(first) || !tokens.get(at + 1).isSign(second)) {
            return false;
        }
        at += 2;
        return true;
    }

    public void expect(String hint, String... words) {
        if (!accept(words)) {
            throw unexpected(String.join(" ", words), hint);
        }
    }

    public void expect(char sign, String hint) {
        if (!accept(sign)) {
            throw unexpected("'" + sign + "'", hint);
        }
    }

    /** A name of one part, with or without back-ticks. */
    public String name(String what) {
        var token = peek();
        if (token.kind() != Token.Kind.WORD && token.kind() != Token.Kind.NAME) {
            throw unexpected(what, "");
        }
        at++;
        return token.text();
    }

    public String string(String what) {
        var token = peek();
        if (token.kind() != Token.Kind.STRING) {
            throw unexpected(what, "put it in single quotes");
        }
        at++;
        return token.text();
    }

    /** A name of three parts. */
    public TableName tableName() {
        var start = peek();
        var parts = new ArrayList<String>();
        parts.add(name("a table's name"));
        while (accept('.')) {
            parts.add(name("a part of the table's name"));
        }
        if (parts.size() != 3) {
            throw new TextRefused(
                    position(start),
                    "'%s' is not a full table name".formatted(String.join(".", parts)),
                    "write catalog.schema.table, for example farm.silver.demand_events");
        }
        try {
            return new TableName(parts.get(0), parts.get(1), parts.get(2));
        } catch (LakemillException e) {
            throw new TextRefused(position(start), e.problem(), e.hint());
        }
    }

    /** {@code (item, item …)}. */
    public <T> List<T> list(String hint, Supplier<T> item) {
        expect('(', hint);
        var items = new ArrayList<T>();
        do {
            items.add(item.get());
        } while (accept(','));
        expect(')', hint);
        return items;
    }

    /** What stands between this parenthesis, which comes next, and the one that closes it. */
    public Fragment inParentheses(String hint) {
        var open = peek();
        expect('(', hint);
        var depth = 1;
        while (depth > 0) {
            if (atEnd() || peek().isSign(';')) {
                throw new TextRefused(position(open), "this parenthesis is not closed", "add )");
            }
            var token = next();
            depth += token.isSign('(') ? 1 : token.isSign(')') ? -1 : 0;
        }
        var inside = open.end();
        var close = tokens.get(at - 1).start();
        return new Fragment(source, inside, close);
    }

    /**
     * What stands before any of the words, outside of parentheses, or before the statement's end.
     */
    public Fragment until(String hint, String... words) {
        var first = peek();
        var depth = 0;
        while (!atEnd() && !peek().isSign(';')) {
            var token = peek();
            if (depth == 0 && Stream.of(words).anyMatch(token::isWord)) {
                break;
            }
            next();
            depth += token.isSign('(') ? 1 : token.isSign(')') ? -1 : 0;
        }
        if (peek().start() == first.start()) {
            throw unexpected("a condition", hint);
        }
        return since(first);
    }

    /** Everything up to the end of the statement. */
    public Fragment restOfStatement() {
        var start = peek().start();
        var end = start;
        while (!atEnd() && !peek().isSign(';')) {
            end = next().end();
        }
        return new Fragment(source, start, end);
    }

    /** The text from a token taken earlier to the token taken last. */
    public Fragment since(Token first) {
        return new Fragment(source, first.start(), tokens.get(at - 1).end());
    }

    public void skipStatement() {
        restOfStatement();
    }

    public TextRefused unexpected(String wanted, String hint) {
        var token = peek();
        var found =
                switch (token.kind()) {
                    case END -> "the end of the file";
                    case STRING -> "a string";
                    case WORD, NAME, SIGN -> "'" + token.text() + "'";
                };
        return new TextRefused(
                position(token), "expected %s, found %s".formatted(wanted, found), hint);
    }
}
