package dev.lakemill.server;

import dev.lakemill.catalog.GovernanceStatement.Existing;
import dev.lakemill.catalog.NameDefaults;
import dev.lakemill.plan.Fragment;
import dev.lakemill.plan.Lexer;
import dev.lakemill.plan.SourceText;
import dev.lakemill.plan.TextRefused;
import dev.lakemill.plan.TokenReader;
import dev.lakemill.types.LakemillException;
import java.util.List;
import java.util.Optional;

/** Reads one statement about views of the lake. One use per text; not thread-safe. */
final class ViewParser {
    private static final String HOW =
            "write CREATE [OR REPLACE] VIEW [IF NOT EXISTS] name [(column [COMMENT 'text'], …)]"
                    + " [COMMENT 'text'] AS SELECT …";

    private final TokenReader in;
    private final NameDefaults defaults;

    private ViewParser(TokenReader in, NameDefaults defaults) {
        this.in = in;
        this.defaults = defaults;
    }

    /**
     * Empty for a statement about something else.
     *
     * @throws LakemillException INVALID_ARGUMENT with the place and a caret under it
     */
    static Optional<ViewStatement> parse(SourceText source, NameDefaults defaults) {
        try {
            var in = new TokenReader(source, Lexer.tokens(source));
            var statement = new ViewParser(in, defaults).statement();
            in.accept(';');
            if (statement.isPresent() && !in.atEnd()) {
                throw in.unexpected("the end of the statement", "send one statement at a time");
            }
            return statement;
        } catch (TextRefused e) {
            throw e.error().toException(source);
        }
    }

    private Optional<ViewStatement> statement() {
        if (in.accept("CREATE", "OR", "REPLACE", "VIEW")) {
            return Optional.of(create(Existing.REPLACED));
        }
        if (in.accept("CREATE", "VIEW", "IF", "NOT", "EXISTS")) {
            return Optional.of(create(Existing.STAYS));
        }
        if (in.accept("CREATE", "VIEW")) {
            return Optional.of(create(Existing.FAILS));
        }
        if (in.accept("ALTER", "VIEW")) {
            return alter();
        }
        if (in.accept("DROP", "VIEW")) {
            var ifExists = in.accept("IF", "EXISTS");
            return Optional.of(new ViewStatement.Drop(TableNames.read(in, defaults), ifExists));
        }
        return in.accept("SHOW", "VIEWS") ? Optional.of(show()) : Optional.empty();
    }

    private ViewStatement create(Existing existing) {
        var name = TableNames.read(in, defaults);
        var columnsAt = in.position();
        var columns = in.peek().isSign('(') ? columns() : List.<ViewStatement.Column>of();
        var comment = comment("the view's comment");
        in.expect(HOW, "AS");
        return new ViewStatement.Create(name, columns, columnsAt, comment, text(), existing);
    }

    private List<ViewStatement.Column> columns() {
        return in.list(
                HOW,
                () ->
                        new ViewStatement.Column(
                                in.name("a column's name"), comment("the column's comment")));
    }

    private String comment(String what) {
        return in.accept("COMMENT") ? in.string(what) : "";
    }

    private Fragment text() {
        if (in.atEnd() || in.peek().isSign(';')) {
            throw in.unexpected("a query", HOW);
        }
        return in.restOfStatement();
    }

    /** What else can be altered of a view can be of any table. */
    private Optional<ViewStatement> alter() {
        var name = TableNames.read(in, defaults);
        return in.accept("AS")
                ? Optional.of(new ViewStatement.Alter(name, text()))
                : Optional.empty();
    }

    private ViewStatement show() {
        var catalog = Optional.of(defaults.catalog()).filter(c -> !c.isEmpty());
        var schema = Optional.of(defaults.schema()).filter(s -> !s.isEmpty());
        if (in.accept("IN") || in.accept("FROM")) {
            schema = Optional.of(in.name("a schema's name"));
            if (in.accept('.')) {
                catalog = schema;
                schema = Optional.of(in.name("a schema's name"));
            }
        }
        in.accept("LIKE");
        var like = in.atEnd() || in.peek().isSign(';') ? "" : in.string("a pattern");
        return new ViewStatement.Show(catalog, schema, like);
    }
}
