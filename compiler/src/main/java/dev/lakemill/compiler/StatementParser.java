package dev.lakemill.compiler;

import dev.lakemill.compiler.Statement.ColumnText;
import dev.lakemill.compiler.Statement.Flow;
import dev.lakemill.compiler.Statement.Rule;
import dev.lakemill.compiler.Statement.Word;
import dev.lakemill.plan.Fragment;
import dev.lakemill.plan.Lexer;
import dev.lakemill.plan.OnViolation;
import dev.lakemill.plan.SourcePosition;
import dev.lakemill.plan.SourceText;
import dev.lakemill.plan.TextError;
import dev.lakemill.plan.TextRefused;
import dev.lakemill.plan.Token;
import dev.lakemill.plan.TokenReader;
import dev.lakemill.types.TableName;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Reads the DDL round the queries of a pipeline's file: which statements there are, and their
 * clauses. Queries, conditions and types stay text, for Spark to read.
 *
 * <p>An error ends its statement; the next one is read all the same. One use per file; not
 * thread-safe.
 */
final class StatementParser {
    private static final String KINDS =
            "a pipeline's file holds CREATE TABLE, CREATE STREAMING TABLE, CREATE MATERIALIZED VIEW,"
                    + " CREATE FLOW, CREATE TEMPORARY VIEW, CREATE SYNCED TABLE and SET, each ended"
                    + " by ;";
    private static final String ACTIONS = "write DROP ROW, FAIL UPDATE or QUARANTINE";

    private final TokenReader in;
    private final List<TextError> errors;

    private StatementParser(TokenReader in, List<TextError> errors) {
        this.in = in;
        this.errors = errors;
    }

    /** The statements of a file; what is wrong in others is added to the errors. */
    static List<Statement> parse(SourceText source, List<TextError> errors) {
        try {
            return new StatementParser(new TokenReader(source, Lexer.tokens(source)), errors)
                    .statements();
        } catch (TextRefused e) {
            errors.add(e.error());
            return List.of();
        }
    }

    private List<Statement> statements() {
        var statements = new ArrayList<Statement>();
        while (!in.atEnd()) {
            if (in.accept(';')) {
                continue;
            }
            if (in.accept("SET")) {
                in.skipStatement(); // Parameters has read it
                continue;
            }
            try {
                statements.add(statement());
                if (!in.atEnd()) {
                    in.expect(';', "end the statement here");
                }
            } catch (TextRefused e) {
                errors.add(e.error());
                in.skipStatement();
            }
        }
        return statements;
    }

    private Statement statement() {
        var position = in.position();
        in.expect(KINDS, "CREATE");
        if (in.accept("OR") && !in.accept("REFRESH") && !in.accept("REPLACE")) {
            throw in.unexpected("REFRESH", "write CREATE OR REFRESH");
        }
        var isPrivate = in.accept("PRIVATE");
        if (in.accept("STREAMING")) {
            in.expect("write CREATE OR REFRESH STREAMING TABLE", "TABLE");
            return dataset(true, isPrivate, position);
        }
        if (in.accept("MATERIALIZED")) {
            in.expect("write CREATE OR REFRESH MATERIALIZED VIEW", "VIEW");
            return dataset(false, isPrivate, position);
        }
        if (isPrivate) {
            throw in.unexpected("STREAMING TABLE or MATERIALIZED VIEW", "only those are PRIVATE");
        }
        if (in.accept("TEMPORARY") || in.accept("TEMP")) {
            in.expect("write CREATE TEMPORARY VIEW", "VIEW");
            return view(position);
        }
        if (in.accept("SYNCED")) {
            in.expect("write CREATE SYNCED TABLE", "TABLE");
            return synced(position);
        }
        if (in.accept("FLOW")) {
            return new FlowParser(in).flow(position);
        }
        if (in.accept("TABLE")) {
            return table(position);
        }
        if (in.peek().isWord("LIVE")) {
            throw in.unexpected(
                    "TEMPORARY VIEW or STREAMING TABLE", "LIVE is the old form: write the new one");
        }
        throw in.unexpected("what to create", KINDS);
    }

    private Statement table(SourcePosition position) {
        in.accept("IF", "NOT", "EXISTS");
        var name = in.tableName();
        var columns =
                in.list("list the columns in parentheses: (name TYPE [NOT NULL], …)", this::column);
        var clauses = new ClauseParser(in).ofTable();
        if (in.peek().isWord("AS")) {
            throw in.unexpected(
                    "the end of the statement",
                    "a table that is computed is a STREAMING TABLE or a MATERIALIZED VIEW");
        }
        return new Statement.CreateTable(name, columns, clauses.comment(), position);
    }

    private Statement dataset(boolean streaming, boolean isPrivate, SourcePosition position) {
        in.accept("IF", "NOT", "EXISTS");
        var name = in.tableName();
        var columns = new ArrayList<ColumnText>();
        var rules = new ArrayList<Rule>();
        if (in.peek().isSign('(')) {
            in.list(
                    "list columns and constraints in parentheses, with commas between",
                    () ->
                            in.peek().isWord("CONSTRAINT")
                                    ? rules.add(rule())
                                    : columns.add(column()));
        }
        var clauses = new ClauseParser(in).ofDataset(streaming, isPrivate);
        return new Statement.CreateDataset(
                name, streaming, columns, rules, clauses, flows(name, streaming), position);
    }

    /** {@code AS query}, {@code FLOW …}, or nothing where CREATE FLOW says it. */
    private List<Flow> flows(TableName name, boolean streaming) {
        var position = in.position();
        if (in.accept("AS")) {
            return List.of(new Flow.Insert(name.toString(), false, query(in), position));
        }
        if (streaming && in.accept("FLOW")) {
            return List.of(new FlowParser(in).within(name, position));
        }
        if (streaming && (in.atEnd() || in.peek().isSign(';'))) {
            return List.of();
        }
        throw in.unexpected("AS", "write AS and the query");
    }

    private Statement view(SourcePosition position) {
        var name = in.name("the view's name");
        if (in.peek().isSign('.')) {
            throw in.unexpected("AS", "a temporary view's name has one part");
        }
        var columns = new ArrayList<Word>();
        if (in.peek().isSign('(')) {
            columns.addAll(
                    in.list("list the view's columns: (name COMMENT 'text', …)", this::viewColumn));
        }
        new ClauseParser(in).ofView();
        in.expect("write AS and the query", "AS");
        return new Statement.CreateView(name, columns, query(in), position);
    }

    private Word viewColumn() {
        if (in.peek().isWord("CONSTRAINT")) {
            throw in.unexpected("a column", "expectations stand on tables and materialized views");
        }
        var word = word(in);
        if (in.accept("COMMENT")) {
            var _ = in.string("the comment");
        }
        return word;
    }

    static Fragment query(TokenReader in) {
        var query = in.restOfStatement();
        if (query.start() == query.end()) {
            throw in.unexpected("a query", "write SELECT …");
        }
        return query;
    }

    private Statement synced(SourcePosition position) {
        in.accept("IF", "NOT", "EXISTS");
        var name = in.tableName();
        in.expect("write FROM and the dataset that is to be shown", "FROM");
        var sourcePosition = in.position();
        var source = in.tableName();
        in.expect("a synced table needs PRIMARY KEY (columns)", "PRIMARY", "KEY");
        var key = in.list("list the key's columns in parentheses", () -> word(in));
        var indexes = new ArrayList<List<Word>>();
        while (in.accept("INDEX")) {
            indexes.add(in.list("list the index's columns in parentheses", () -> word(in)));
        }
        return new Statement.CreateSynced(name, source, sourcePosition, key, indexes, position);
    }

    static Word word(TokenReader in) {
        var position = in.position();
        return new Word(in.name("a column's name"), position);
    }

    private ColumnText column() {
        var position = in.position();
        var name = in.name("a column's name");
        var type = type(name);
        var nullable = true;
        var comment = "";
        Optional<Fragment> generated = Optional.empty();
        while (!in.peek().isSign(',') && !in.peek().isSign(')')) {
            if (in.accept("NOT", "NULL")) {
                nullable = false;
            } else if (in.accept("COMMENT")) {
                comment = in.string("the comment");
            } else if (in.peek().isWord("GENERATED")) {
                generated = Optional.of(generated());
            } else {
                throw in.unexpected(
                        "',' or ')'",
                        "a column is name TYPE [NOT NULL] [GENERATED ALWAYS AS (…)] [COMMENT 'text']");
            }
        }
        return new ColumnText(name, type, nullable, comment, generated, position);
    }

    private Fragment generated() {
        if (!in.accept("GENERATED", "ALWAYS", "AS") || !in.peek().isSign('(')) {
            throw in.unexpected(
                    "GENERATED ALWAYS AS (…)",
                    "there are no identity columns, since a replay could number rows anew; use a"
                            + " key of the data");
        }
        return in.inParentheses("write GENERATED ALWAYS AS (expression)");
    }

    /** The tokens up to NOT, COMMENT, a comma or a parenthesis outside of brackets. */
    private Fragment type(String column) {
        var first = in.peek();
        if (first.kind() != Token.Kind.WORD || isAfterType(first)) {
            throw in.unexpected("the type of column " + column, "for example STRING or BIGINT");
        }
        var depth = 0;
        while (!in.atEnd() && (depth > 0 || !isAfterType(in.peek()))) {
            var token = in.next();
            depth += token.isSign('(') || token.isSign('<') ? 1 : 0;
            depth -= token.isSign(')') || token.isSign('>') ? 1 : 0;
        }
        return in.since(first);
    }

    private static boolean isAfterType(Token token) {
        return token.isSign(',')
                || token.isSign(')')
                || token.isSign(';')
                || token.isWord("NOT")
                || token.isWord("COMMENT")
                || token.isWord("DEFAULT")
                || token.isWord("GENERATED")
                || token.isWord("PRIMARY")
                || token.isWord("MASK")
                || token.isWord("CONSTRAINT");
    }

    private Rule rule() {
        var position = in.position();
        in.next();
        var name = in.name("the constraint's name");
        in.expect("write CONSTRAINT name EXPECT (condition)", "EXPECT");
        var first = in.peek();
        if (in.accept("UNIQUE")) {
            var columns = in.list("list the columns: EXPECT UNIQUE (a, b)", () -> word(in));
            var text = in.since(first).text();
            return new Rule(name, Optional.empty(), columns, onViolation(), text, position);
        }
        var condition = in.inParentheses("write EXPECT (condition)");
        var text = condition.text().strip();
        return new Rule(name, Optional.of(condition), List.of(), onViolation(), text, position);
    }

    private OnViolation onViolation() {
        if (!in.accept("ON")) {
            return OnViolation.WARN;
        }
        in.expect(ACTIONS, "VIOLATION");
        if (in.accept("DROP", "ROW")) {
            return OnViolation.DROP_ROW;
        }
        if (in.accept("FAIL", "UPDATE")) {
            return OnViolation.FAIL_UPDATE;
        }
        if (in.accept("QUARANTINE")) {
            return OnViolation.QUARANTINE;
        }
        throw in.unexpected("an action", ACTIONS);
    }
}
