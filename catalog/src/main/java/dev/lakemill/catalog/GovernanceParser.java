package dev.lakemill.catalog;

import dev.lakemill.catalog.GovernanceStatement.Existing;
import dev.lakemill.catalog.GovernanceStatement.Kind;
import dev.lakemill.plan.Lexer;
import dev.lakemill.plan.NearestName;
import dev.lakemill.plan.SourceText;
import dev.lakemill.plan.TextRefused;
import dev.lakemill.plan.Token;
import dev.lakemill.plan.TokenReader;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.SecurableType;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** Reads one statement about the catalog. One use per text; not thread-safe. */
public final class GovernanceParser {
    private static final Set<String> QUERIES = Set.of("SELECT", "WITH", "VALUES", "FROM", "TABLE");
    private static final List<String> STATEMENTS =
            List.of(
                    "SELECT",
                    "WITH",
                    "VALUES",
                    "GRANT",
                    "REVOKE",
                    "SHOW",
                    "ALTER",
                    "COMMENT",
                    "CREATE",
                    "DROP",
                    "DESCRIBE");
    private static final List<String> SHOWN =
            List.of("GRANTS", "CATALOGS", "SCHEMAS", "TABLES", "FUNCTIONS", "GROUPS", "USERS");

    private final TokenReader in;
    private final SecurableReader names;

    private GovernanceParser(TokenReader in, NameDefaults defaults) {
        this.in = in;
        this.names = new SecurableReader(in, defaults);
    }

    /**
     * Empty for a query, which others read.
     *
     * @throws LakemillException INVALID_ARGUMENT with the place and a caret under it
     */
    public static Optional<GovernanceStatement> parse(SourceText source, NameDefaults defaults) {
        try {
            var in = new TokenReader(source, Lexer.tokens(source));
            var first = in.peek();
            if (first.isSign('(')
                    || (first.kind() == Token.Kind.WORD
                            && QUERIES.contains(first.text().toUpperCase(Locale.ROOT)))) {
                return Optional.empty();
            }
            var statement = new GovernanceParser(in, defaults).statement();
            in.accept(';');
            if (!in.atEnd()) {
                throw in.unexpected("the end of the statement", "send one statement at a time");
            }
            return Optional.of(statement);
        } catch (TextRefused e) {
            throw e.error().toException(source);
        }
    }

    /**
     * All statements of a file, each ended by a semicolon.
     *
     * @throws LakemillException INVALID_ARGUMENT with the place and a caret under it
     */
    public static List<GovernanceStatement> parseAll(SourceText source, NameDefaults defaults) {
        var statements = new ArrayList<GovernanceStatement>();
        try {
            var in = new TokenReader(source, Lexer.tokens(source));
            while (!in.atEnd()) {
                statements.add(new GovernanceParser(in, defaults).statement());
                if (!in.atEnd() && !in.accept(';')) {
                    throw in.unexpected("a semicolon", "end each statement with one");
                }
            }
            return statements;
        } catch (TextRefused e) {
            throw e.error().toException(source);
        }
    }

    private GovernanceStatement statement() {
        if (in.accept("GRANT")) {
            return grant();
        }
        if (in.accept("REVOKE")) {
            return revoke();
        }
        if (in.accept("SHOW")) {
            return show();
        }
        if (in.accept("ALTER", "GROUP")) {
            return new PrincipalParser(in, names).members();
        }
        if (in.accept("ALTER")) {
            return new AlterParser(in, names).alter();
        }
        if (in.accept("COMMENT")) {
            return comment();
        }
        if (in.accept("CREATE")) {
            return create();
        }
        if (in.accept("DROP")) {
            return drop();
        }
        if (in.accept("DESCRIBE") || in.accept("DESC")) {
            return describe();
        }
        throw unknown("a statement", STATEMENTS);
    }

    private TextRefused unknown(String wanted, List<String> known) {
        var near = NearestName.of(in.peek().text(), known);
        return in.unexpected(
                wanted,
                near.map("did you mean %s?"::formatted)
                        .orElse("it begins with one of " + String.join(", ", known)));
    }

    private GovernanceStatement grant() {
        var privileges = privileges();
        in.expect("write GRANT privileges ON securable TO principal", "ON");
        var on = names.securable();
        in.expect("write GRANT privileges ON securable TO principal", "TO");
        return new GovernanceStatement.GrantPrivileges(privileges, on, names.principal());
    }

    private GovernanceStatement revoke() {
        var privileges = privileges();
        in.expect("write REVOKE privileges ON securable FROM principal", "ON");
        var on = names.securable();
        in.expect("write REVOKE privileges ON securable FROM principal", "FROM");
        return new GovernanceStatement.RevokePrivileges(privileges, on, names.principal());
    }

    private Set<Privilege> privileges() {
        var privileges = new LinkedHashSet<Privilege>();
        do {
            privileges.add(privilege());
        } while (in.accept(','));
        return privileges;
    }

    private Privilege privilege() {
        var first = in.peek();
        var text = new StringBuilder(in.name("a privilege"));
        while (in.peek().kind() == Token.Kind.WORD && !in.peek().isWord("ON")) {
            text.append(' ').append(in.next().text());
        }
        var name = text.toString().equalsIgnoreCase("ALL") ? "ALL PRIVILEGES" : text.toString();
        try {
            return Privilege.parse(name);
        } catch (LakemillException e) {
            var known = Stream.of(Privilege.values()).map(Privilege::sql).toList();
            var near = NearestName.of(name, known).map("did you mean %s?"::formatted);
            throw new TextRefused(in.position(first), e.problem(), near.orElse(e.hint()));
        }
    }

    private GovernanceStatement show() {
        if (in.accept("GRANTS") || in.accept("GRANT")) {
            return showGrants();
        }
        if (in.accept("CATALOGS")) {
            return new GovernanceStatement.Show(Kind.CATALOGS, Optional.empty(), like());
        }
        if (in.accept("SCHEMAS") || in.accept("DATABASES")) {
            return new GovernanceStatement.Show(
                    Kind.SCHEMAS, Optional.of(inside(SecurableType.CATALOG)), like());
        }
        if (in.accept("TABLES")) {
            return new GovernanceStatement.Show(
                    Kind.TABLES, Optional.of(inside(SecurableType.SCHEMA)), like());
        }
        if (in.accept("FUNCTIONS") || in.accept("USER", "FUNCTIONS")) {
            return new GovernanceStatement.Show(
                    Kind.FUNCTIONS, Optional.of(inside(SecurableType.SCHEMA)), like());
        }
        if (in.accept("GROUPS")) {
            return new GovernanceStatement.Show(Kind.GROUPS, Optional.empty(), like());
        }
        if (in.accept("USERS")) {
            return new GovernanceStatement.Show(Kind.USERS, Optional.empty(), like());
        }
        throw unknown("what to show", SHOWN);
    }

    private GovernanceStatement showGrants() {
        in.accept("TO");
        var principal =
                in.peek().isWord("ON") || in.atEnd()
                        ? Optional.<String>empty()
                        : Optional.of(names.principal());
        if (in.accept("ON")) {
            return new GovernanceStatement.ShowGrants(principal, Optional.of(names.securable()));
        }
        if (principal.isEmpty()) {
            throw in.unexpected("ON or a principal", "write SHOW GRANTS ON TABLE c.s.t");
        }
        return new GovernanceStatement.ShowGrants(principal, Optional.empty());
    }

    private Securable inside(SecurableType type) {
        var isNamed = in.accept("IN") || in.accept("FROM");
        return isNamed ? names.named(type) : names.current(type);
    }

    private String like() {
        return in.accept("LIKE") || in.peek().kind() == Token.Kind.STRING
                ? in.string("a pattern")
                : "";
    }

    private GovernanceStatement comment() {
        in.expect("write COMMENT ON securable IS 'text'", "ON");
        if (in.accept("COLUMN")) {
            var parts = names.parts("a column's name");
            var table = names.table(parts.subList(0, parts.size() - 1));
            return new GovernanceStatement.Comment(
                    Securable.table(table), parts.getLast(), commentText());
        }
        return new GovernanceStatement.Comment(names.securable(), "", commentText());
    }

    private String commentText() {
        in.expect("write COMMENT ON securable IS 'text'", "IS");
        return in.accept("NULL") ? "" : in.string("the comment");
    }

    private GovernanceStatement create() {
        var isReplaced = in.accept("OR", "REPLACE");
        if (in.accept("FUNCTION")) {
            return new FunctionParser(in, names).create(isReplaced);
        }
        for (var type : List.of(SecurableType.CATALOG, SecurableType.SCHEMA)) {
            if (!isReplaced && names.accepted(type)) {
                var existing = in.accept("IF", "NOT", "EXISTS") ? Existing.STAYS : Existing.FAILS;
                var created = names.named(type);
                var comment = in.accept("COMMENT") ? in.string("the comment") : "";
                return new GovernanceStatement.Create(created, comment, existing);
            }
        }
        var kind = PrincipalParser.kind(in);
        if (kind.isPresent() && !isReplaced) {
            var existing = in.accept("IF", "NOT", "EXISTS") ? Existing.STAYS : Existing.FAILS;
            return new GovernanceStatement.CreatePrincipal(kind.get(), names.principal(), existing);
        }
        throw in.unexpected(
                "CATALOG, SCHEMA, VIEW, FUNCTION, USER, SERVICE PRINCIPAL or GROUP",
                "tables are made by pipelines: see docs/using/pipelines.md");
    }

    private GovernanceStatement drop() {
        for (var type :
                List.of(SecurableType.CATALOG, SecurableType.SCHEMA, SecurableType.FUNCTION)) {
            if (names.accepted(type)) {
                var ifExists = in.accept("IF", "EXISTS");
                var dropped = names.named(type);
                var cascade = in.accept("CASCADE");
                if (!cascade) {
                    in.accept("RESTRICT");
                }
                return new GovernanceStatement.Drop(dropped, ifExists, cascade);
            }
        }
        var kind = PrincipalParser.kind(in);
        if (kind.isPresent()) {
            var ifExists = in.accept("IF", "EXISTS");
            return new GovernanceStatement.DropPrincipal(kind.get(), names.principal(), ifExists);
        }
        throw in.unexpected(
                "CATALOG, SCHEMA, VIEW, FUNCTION, USER, SERVICE PRINCIPAL or GROUP",
                "tables are made by pipelines");
    }

    private GovernanceStatement describe() {
        in.accept("TABLE");
        var extended = in.accept("EXTENDED");
        return new GovernanceStatement.Describe(
                names.table(names.parts("a table's name")), extended);
    }

    /** {@code ('key' = 'value', …)}; a key alone has the empty value. */
    static Map<String, String> tags(TokenReader in) {
        var tags = new LinkedHashMap<String, String>();
        in.list(
                "list tags in parentheses: ('key' = 'value', …)",
                () -> {
                    var key = in.string("a tag's key");
                    return tags.put(key, in.accept('=') ? in.string("a tag's value") : "");
                });
        return tags;
    }
}
