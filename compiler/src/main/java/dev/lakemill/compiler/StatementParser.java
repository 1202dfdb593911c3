package dev.lakemill.compiler;

import dev.lakemill.compiler.Statement.ColumnText;
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
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

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
                    + " CREATE TEMPORARY VIEW and CREATE SYNCED TABLE, each ended by ;";
    private static final String ACTIONS = "write DROP ROW, FAIL UPDATE or QUARANTINE";
    private static final Set<String> CLAUSES_LEFT_OUT =
            Set.of(
                    "PARTITIONED",
                    "CLUSTER",
                    "LOCATION",
                    "TBLPROPERTIES",
                    "WITH",
                    "FLOW",
                    "REFRESH");

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
        if (in.accept("STREAMING")) {
            in.expect("write CREATE OR REFRESH STREAMING TABLE", "TABLE");
            return dataset(true, position);
        }
        if (in.accept("MATERIALIZED")) {
            in.expect("write CREATE OR REFRESH MATERIALIZED VIEW", "VIEW");
            return dataset(false, position);
        }
        if (in.accept("TEMPORARY") || in.accept("TEMP")) {
            in.expect("write CREATE TEMPORARY VIEW", "VIEW");
            return view(position);
        }
        if (in.accept("SYNCED")) {
            in.expect("write CREATE SYNCED TABLE", "TABLE");
            return synced(position);
        }
        if (in.accept("TABLE")) {
            return table(position);
        }
        throw in.unexpected("what to create", KINDS);
    }

    private Statement table(SourcePosition position) {
        in.accept("IF", "NOT", "EXISTS");
        var name = in.tableName();
        var columns =
                in.list("list the columns in parentheses: (name TYPE [NOT NULL], …)", this::column);
        var comment = clauses();
        if (in.peek().isWord("AS")) {
            throw in.unexpected(
                    "the end of the statement",
                    "a table that is computed is a STREAMING TABLE or a MATERIALIZED VIEW");
        }
        return new Statement.CreateTable(name, columns, comment, position);
    }

    private Statement dataset(boolean streaming, SourcePosition position) {
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
        var comment = clauses();
        in.expect("write AS and the query", "AS");
        return new Statement.CreateDataset(
                name, streaming, columns, rules, comment, query(), position);
    }

    private Statement view(SourcePosition position) {
        var name = in.name("the view's name");
        if (in.peek().isSign('.')) {
            throw in.unexpected("AS", "a temporary view's name has one part");
        }
        in.expect("write AS and the query", "AS");
        return new Statement.CreateView(name, query(), position);
    }

    private Fragment query() {
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
        var key = in.list("list the key's columns in parentheses", this::word);
        var indexes = new ArrayList<List<Word>>();
        while (in.accept("INDEX")) {
            indexes.add(in.list("list the index's columns in parentheses", this::word));
        }
        return new Statement.CreateSynced(name, source, sourcePosition, key, indexes, position);
    }

    private Word word() {
        var position = in.position();
        return new Word(in.name("a column's name"), position);
    }

    private ColumnText column() {
        var position = in.position();
        var name = in.name("a column's name");
        var type = type(name);
        var nullable = !in.accept("NOT", "NULL");
        var comment = in.accept("COMMENT") ? in.string("the comment") : "";
        if (!in.peek().isSign(',') && !in.peek().isSign(')')) {
            throw in.unexpected("',' or ')'", "a column is name TYPE [NOT NULL] [COMMENT 'text']");
        }
        return new ColumnText(name, type, nullable, comment, position);
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
            var columns = in.list("list the columns: EXPECT UNIQUE (a, b)", this::word);
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

    /** The clauses between the columns and AS; gives the comment. */
    private String clauses() {
        var comment = "";
        while (!in.atEnd() && !in.peek().isWord("AS") && !in.peek().isSign(';')) {
            if (in.accept("COMMENT")) {
                comment = in.string("the comment");
            } else if (in.accept("USING")) {
                in.expect("every table is a Delta table: leave USING out", "DELTA");
            } else if (CLAUSES_LEFT_OUT.contains(in.peek().text().toUpperCase(Locale.ROOT))) {
                throw in.unexpected("AS", "this version knows COMMENT only; leave the clause out");
            } else {
                throw in.unexpected("COMMENT or AS", "");
            }
        }
        return comment;
    }
}
