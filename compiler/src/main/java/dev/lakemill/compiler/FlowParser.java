package dev.lakemill.compiler;

import dev.lakemill.compiler.Statement.ChangeRules;
import dev.lakemill.compiler.Statement.Columns;
import dev.lakemill.compiler.Statement.CreateFlow;
import dev.lakemill.compiler.Statement.Flow;
import dev.lakemill.compiler.Statement.Word;
import dev.lakemill.plan.Fragment;
import dev.lakemill.plan.SourcePosition;
import dev.lakemill.plan.TokenReader;
import dev.lakemill.types.TableName;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Reads the flows that write streaming tables: INSERT and AUTO CDC. */
final class FlowParser {
    private static final String FORMS =
            "write INSERT INTO [ONCE] table BY NAME query, or AUTO CDC INTO table FROM STREAM(source)"
                    + " KEYS (…) SEQUENCE BY …";
    private static final String BY_NAME =
            "write BY NAME before the query: columns are matched by their names";

    private final TokenReader in;

    FlowParser(TokenReader in) {
        this.in = in;
    }

    /** Behind {@code CREATE FLOW}. */
    CreateFlow flow(SourcePosition position) {
        var name = in.name("the flow's name");
        if (in.accept("COMMENT")) {
            var _ = in.string("the comment");
        }
        in.expect(FORMS, "AS");
        if (in.accept("INSERT")) {
            in.expect(FORMS, "INTO");
            var once = in.accept("ONCE");
            var targetPosition = in.position();
            var target = in.tableName();
            in.expect(BY_NAME, "BY", "NAME");
            var query = StatementParser.query(in);
            return new CreateFlow(
                    target, targetPosition, new Flow.Insert(name, once, query, position));
        }
        if (in.accept("AUTO", "CDC") || in.accept("APPLY", "CHANGES")) {
            in.expect(FORMS, "INTO");
            var targetPosition = in.position();
            var target = in.tableName();
            return new CreateFlow(target, targetPosition, changes(name, position));
        }
        throw in.unexpected("INSERT or AUTO CDC", FORMS);
    }

    /** Behind {@code CREATE STREAMING TABLE name … FLOW}. */
    Flow within(TableName table, SourcePosition position) {
        if (in.accept("INSERT")) {
            var once = in.accept("ONCE");
            in.expect(BY_NAME, "BY", "NAME");
            return new Flow.Insert(table.toString(), once, StatementParser.query(in), position);
        }
        if (in.accept("AUTO", "CDC")) {
            return changes(table.toString(), position);
        }
        if (in.peek().isWord("REPLACE")) {
            throw in.unexpected(
                    "INSERT or AUTO CDC",
                    "rows of a streaming table are not replaced: use a MATERIALIZED VIEW");
        }
        throw in.unexpected("INSERT or AUTO CDC", FORMS);
    }

    private Flow changes(String name, SourcePosition position) {
        in.expect("write FROM STREAM(table)", "FROM");
        in.expect("events are read as they come: write FROM STREAM(table)", "STREAM");
        var parentheses = in.accept('(');
        var sourcePosition = in.position();
        var source = in.tableName();
        if (parentheses) {
            in.expect(')', "FROM takes a table's name, no query");
        }
        return new Flow.AutoCdc(name, source, sourcePosition, rules(), position);
    }

    private ChangeRules rules() {
        in.expect("say which columns tell rows apart: KEYS (…)", "KEYS");
        var keys = words("list the key's columns in parentheses");
        Optional<Columns> ignoreNulls = Optional.empty();
        if (in.accept("IGNORE", "NULL", "UPDATES")) {
            ignoreNulls = Optional.of(in.accept("ON") ? columns() : new Columns(true, List.of()));
        }
        var deleteWhen = condition("DELETE");
        var truncateWhen = condition("TRUNCATE");
        in.expect(
                "say which column orders the events: SEQUENCE BY column; APPLY AS … WHEN stands"
                        + " before it",
                "SEQUENCE",
                "BY");
        var struct = in.accept("STRUCT");
        var sequence =
                struct
                        ? words("list the columns: STRUCT(a, b)")
                        : List.of(StatementParser.word(in));
        if (in.peek().isWord("SYSTEM")) {
            throw in.unexpected("COLUMNS or STORED AS", "there are no bitemporal tables");
        }
        Optional<Columns> columns =
                in.accept("COLUMNS") ? Optional.of(columns()) : Optional.empty();
        var history = in.accept("STORED", "AS") && history();
        Optional<Columns> tracked = Optional.empty();
        if (history && in.accept("TRACK", "HISTORY", "ON")) {
            tracked = Optional.of(columns());
        }
        return new ChangeRules(
                keys,
                ignoreNulls,
                deleteWhen,
                truncateWhen,
                sequence,
                struct,
                columns,
                history,
                tracked);
    }

    private boolean history() {
        if (in.accept("SCD", "TYPE", "1")) {
            return false;
        }
        if (in.accept("SCD", "TYPE", "2")) {
            return true;
        }
        throw in.unexpected("SCD TYPE 1 or SCD TYPE 2", "there are no bitemporal tables");
    }

    private Optional<Fragment> condition(String what) {
        if (!in.accept("APPLY", "AS", what, "WHEN")) {
            return Optional.empty();
        }
        return Optional.of(in.until("write APPLY AS … WHEN condition", "APPLY", "SEQUENCE"));
    }

    private Columns columns() {
        if (in.accept('*')) {
            in.expect("write * EXCEPT (columns)", "EXCEPT");
            return new Columns(true, words("list columns in parentheses"));
        }
        return new Columns(false, words("list columns"));
    }

    /** With or without parentheses. */
    private List<Word> words(String hint) {
        if (in.peek().isSign('(')) {
            return in.list(hint, () -> StatementParser.word(in));
        }
        var words = new ArrayList<Word>();
        do {
            words.add(StatementParser.word(in));
        } while (in.accept(','));
        return words;
    }
}
