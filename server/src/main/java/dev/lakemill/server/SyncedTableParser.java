package dev.lakemill.server;

import dev.lakemill.catalog.NameDefaults;
import dev.lakemill.plan.Lexer;
import dev.lakemill.plan.SourceText;
import dev.lakemill.plan.TextRefused;
import dev.lakemill.plan.TokenReader;
import dev.lakemill.sync.ExtraColumn;
import dev.lakemill.sync.ExtraColumn.Maintenance;
import dev.lakemill.sync.ExtraIndex;
import dev.lakemill.sync.SyncMode;
import dev.lakemill.sync.SyncedTableForm;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/** Reads one statement about synced tables. One use per text; not thread-safe. */
final class SyncedTableParser {
    static final String MODE = "mode";
    static final String GROUP = "group";
    static final String FRESHNESS = "freshness_slo_ms";
    static final String CREATE_SCHEMA = "create_database_objects_if_missing";
    private static final Set<String> OPTIONS = Set.of(MODE, GROUP, FRESHNESS, CREATE_SCHEMA);
    private static final String HOW =
            "write CREATE SYNCED TABLE name FROM source PRIMARY KEY (column, …)"
                    + " [TIMESERIES KEY (column)] [INDEX (column, …)] [INDEX name USING …]"
                    + " [COLUMN name type GENERATED ALWAYS AS (…) STORED]"
                    + " [WITH (mode = 'continuous')]";

    private final TokenReader in;
    private final NameDefaults defaults;

    private SyncedTableParser(TokenReader in, NameDefaults defaults) {
        this.in = in;
        this.defaults = defaults;
    }

    /**
     * Empty for a statement about something else.
     *
     * @throws LakemillException INVALID_ARGUMENT with the place and a caret under it
     */
    static Optional<SyncedTableStatement> parse(SourceText source, NameDefaults defaults) {
        try {
            var parser =
                    new SyncedTableParser(new TokenReader(source, Lexer.tokens(source)), defaults);
            var statement = parser.statement();
            if (statement.isPresent()) {
                parser.end();
            }
            return statement;
        } catch (TextRefused e) {
            throw e.error().toException(source);
        }
    }

    private void end() {
        in.accept(';');
        if (!in.atEnd()) {
            throw in.unexpected("the end of the statement", "send one statement at a time");
        }
    }

    private Optional<SyncedTableStatement> statement() {
        if (in.accept("CREATE", "OR", "REPLACE", "SYNCED")) {
            return Optional.of(create(true));
        }
        if (in.accept("CREATE", "SYNCED")) {
            return Optional.of(create(false));
        }
        if (in.accept("ALTER", "SYNCED")) {
            return Optional.of(alter());
        }
        if (in.accept("DROP", "SYNCED")) {
            in.expect("write DROP SYNCED TABLE name", "TABLE");
            var ifExists = in.accept("IF", "EXISTS");
            return Optional.of(new SyncedTableStatement.Drop(name(), ifExists));
        }
        if (in.accept("REFRESH", "SYNCED")) {
            in.expect("write REFRESH SYNCED TABLE name", "TABLE");
            return Optional.of(new SyncedTableStatement.Refresh(name()));
        }
        if (in.accept("SHOW", "SYNCED")) {
            in.expect("write SHOW SYNCED TABLES", "TABLES");
            return Optional.of(new SyncedTableStatement.Show(Optional.empty()));
        }
        if (in.accept("DESCRIBE", "SYNCED")) {
            in.expect("write DESCRIBE SYNCED TABLE name", "TABLE");
            return Optional.of(new SyncedTableStatement.Show(Optional.of(name())));
        }
        return Optional.empty();
    }

    private SyncedTableStatement create(boolean orReplace) {
        in.expect(HOW, "TABLE");
        var ifNotExists = in.accept("IF", "NOT", "EXISTS");
        var name = name();
        in.expect(HOW, "FROM");
        var source = name();
        in.expect(HOW, "PRIMARY", "KEY");
        var key = columns();
        var form = new SyncedTableForm(timeseries(), Map.of(), List.of(), List.of());
        var definition =
                new SyncedTableDefinition(
                        source, key, SyncMode.TRIGGERED, "", List.of(), form, true, 0);
        for (var part = part(); part.isPresent(); part = part()) {
            definition = part.get().apply(definition);
        }
        var options = in.accept("WITH") ? options() : Map.<String, String>of();
        return new SyncedTableStatement.Create(
                name, with(definition, options), ifNotExists, orReplace);
    }

    /** A column or an index that is added. */
    private Optional<UnaryOperator<SyncedTableDefinition>> part() {
        if (in.accept("INDEX")) {
            return Optional.of(index());
        }
        if (in.accept("COLUMN")) {
            var column = column();
            return Optional.of(
                    before ->
                            changed(
                                    before,
                                    plus(before.form().extraColumns(), column),
                                    before.form().extraIndexes()));
        }
        return Optional.empty();
    }

    private UnaryOperator<SyncedTableDefinition> index() {
        if (in.peek().isSign('(')) {
            var columns = columns();
            return before -> before.withIndex(columns);
        }
        var name = in.name("an index's name");
        var index = new ExtraIndex(name, indexDefinition());
        return before ->
                changed(
                        before,
                        before.form().extraColumns(),
                        plus(before.form().extraIndexes(), index));
    }

    /** Up to the next part; WITH may be the index's or the table's. */
    private String indexDefinition() {
        var first = in.peek();
        var hint = "write INDEX name USING gin (column), as behind ON table in CREATE INDEX";
        in.until(hint, "INDEX", "COLUMN", "WITH");
        while (in.peek().isWord("WITH") && !isOptions()) {
            in.next();
            in.inParentheses("list the index's storage parameters in parentheses");
            if (!in.atEnd() && !in.peek().isSign(';') && !isPart()) {
                in.until(hint, "INDEX", "COLUMN", "WITH");
            }
        }
        return in.since(first).text();
    }

    private boolean isPart() {
        return Stream.of("INDEX", "COLUMN", "WITH").anyMatch(in.peek()::isWord);
    }

    private boolean isOptions() {
        return OPTIONS.contains(in.peek(2).text().toLowerCase(Locale.ROOT));
    }

    private ExtraColumn column() {
        var hint =
                "write COLUMN name type GENERATED ALWAYS AS (expression) STORED, or"
                        + " COLUMN name type DEFAULT (expression)";
        var name = in.name("a column's name");
        var type = in.until(hint, "GENERATED", "DEFAULT").text();
        if (in.accept("DEFAULT")) {
            var compute = in.inParentheses(hint).text();
            return new ExtraColumn(name, type, compute, Maintenance.DEFAULT_VALUE);
        }
        in.expect(hint, "GENERATED", "ALWAYS", "AS");
        var compute = in.inParentheses(hint).text();
        in.expect(hint, "STORED");
        return new ExtraColumn(name, type, compute, Maintenance.STORED_GENERATED);
    }

    private static SyncedTableDefinition changed(
            SyncedTableDefinition before, List<ExtraColumn> columns, List<ExtraIndex> indexes) {
        var form = before.form();
        return before.withForm(
                new SyncedTableForm(form.timeseriesKey(), form.types(), columns, indexes));
    }

    private static <T> List<T> plus(List<T> before, T added) {
        return Stream.concat(before.stream(), Stream.of(added)).toList();
    }

    private String timeseries() {
        if (!in.accept("TIMESERIES")) {
            return "";
        }
        in.expect("write TIMESERIES KEY (column)", "KEY");
        in.expect('(', "write TIMESERIES KEY (column)");
        var column = in.name("a column's name");
        in.expect(')', "write TIMESERIES KEY (column): it is one column");
        return column;
    }

    /** The definition with other options. */
    private static SyncedTableDefinition with(
            SyncedTableDefinition before, Map<String, String> options) {
        var mode = options.get(MODE);
        var createSchema = options.get(CREATE_SCHEMA);
        var freshness = options.get(FRESHNESS);
        return new SyncedTableDefinition(
                before.source(),
                before.primaryKey(),
                mode == null ? before.mode() : SyncedTableDefinition.mode(mode),
                options.getOrDefault(GROUP, before.group()),
                before.indexes(),
                before.form(),
                createSchema == null ? before.createSchema() : Boolean.parseBoolean(createSchema),
                freshness == null ? before.freshnessSloMs() : Long.parseLong(freshness));
    }

    private SyncedTableStatement alter() {
        in.expect("write ALTER SYNCED TABLE name SET (mode = 'continuous')", "TABLE");
        var name = name();
        return new SyncedTableStatement.Alter(name, change());
    }

    private UnaryOperator<SyncedTableDefinition> change() {
        var hint =
                "write SET (mode = 'continuous'), ADD INDEX (column, …), ADD INDEX name USING …,"
                        + " ADD COLUMN name type …, DROP INDEX name or DROP COLUMN name";
        if (in.accept("DROP", "COLUMN")) {
            return dropped("column", in.name("a column's name"));
        }
        if (in.accept("DROP", "INDEX")) {
            return dropped("index", in.name("an index's name"));
        }
        if (in.accept("ADD")) {
            return part().orElseThrow(() -> in.unexpected("INDEX or COLUMN", hint));
        }
        in.expect(hint, "SET");
        var options = options();
        return before -> with(before, options);
    }

    private static UnaryOperator<SyncedTableDefinition> dropped(String what, String name) {
        return before -> {
            var columns = new ArrayList<>(before.form().extraColumns());
            var indexes = new ArrayList<>(before.form().extraIndexes());
            var found =
                    what.equals("column")
                            ? columns.removeIf(column -> column.name().equals(name))
                            : indexes.removeIf(index -> index.name().equals(name));
            if (!found) {
                throw new LakemillException(
                        ErrorCode.NOT_FOUND,
                        "the synced table has no extra %s %s".formatted(what, name),
                        "DESCRIBE SYNCED TABLE shows those that it has");
            }
            return changed(before, columns, indexes);
        };
    }

    private List<String> columns() {
        return in.list("list columns in parentheses", () -> in.name("a column's name"));
    }

    private Map<String, String> options() {
        var options = new LinkedHashMap<String, String>();
        in.list("list options in parentheses: (mode = 'continuous', …)", () -> option(options));
        return options;
    }

    private String option(Map<String, String> options) {
        var position = in.position();
        var name = in.name("an option").toLowerCase(Locale.ROOT);
        if (!OPTIONS.contains(name)) {
            throw new TextRefused(
                    position,
                    "there is no option '%s' of synced tables".formatted(name),
                    "write mode, group, freshness_slo_ms or create_database_objects_if_missing");
        }
        in.expect('=', "write %s = value".formatted(name));
        var at = in.position();
        var value = in.next().text();
        if (name.equals(FRESHNESS) && !value.matches("[0-9]{1,9}")) {
            throw new TextRefused(
                    at, "%s is '%s'".formatted(name, value), "give whole milliseconds");
        }
        options.put(name, value);
        return name;
    }

    private TableName name() {
        return TableNames.read(in, defaults);
    }
}
