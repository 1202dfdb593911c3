package dev.lakemill.server;

import dev.lakemill.catalog.NameDefaults;
import dev.lakemill.plan.Lexer;
import dev.lakemill.plan.SourceText;
import dev.lakemill.plan.TextRefused;
import dev.lakemill.plan.TokenReader;
import dev.lakemill.sync.SyncMode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Reads one statement about synced tables. One use per text; not thread-safe. */
final class SyncedTableParser {
    static final String MODE = "mode";
    static final String GROUP = "group";
    static final String FRESHNESS = "freshness_slo_ms";
    static final String CREATE_SCHEMA = "create_database_objects_if_missing";
    private static final Set<String> OPTIONS = Set.of(MODE, GROUP, FRESHNESS, CREATE_SCHEMA);
    private static final String HOW =
            "write CREATE SYNCED TABLE name FROM source PRIMARY KEY (column, …)"
                    + " [TIMESERIES KEY (column)] [INDEX (column, …)]"
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
        var form = timeseries();
        var indexes = new ArrayList<List<String>>();
        while (in.accept("INDEX")) {
            indexes.add(columns());
        }
        var options = in.accept("WITH") ? options() : Map.<String, String>of();
        return new SyncedTableStatement.Create(
                name, definition(source, key, form, indexes, options), ifNotExists, orReplace);
    }

    private SyncedTableDefinition.Form timeseries() {
        if (!in.accept("TIMESERIES")) {
            return SyncedTableDefinition.Form.USUAL;
        }
        in.expect("write TIMESERIES KEY (column)", "KEY");
        in.expect('(', "write TIMESERIES KEY (column)");
        var column = in.name("a column's name");
        in.expect(')', "write TIMESERIES KEY (column): it is one column");
        return new SyncedTableDefinition.Form(column, Map.of());
    }

    private static SyncedTableDefinition definition(
            TableName source,
            List<String> key,
            SyncedTableDefinition.Form form,
            List<List<String>> indexes,
            Map<String, String> options) {
        var plain =
                new SyncedTableDefinition(
                        source, key, SyncMode.TRIGGERED, "", indexes, form, true, 0);
        return with(plain, options, List.of());
    }

    /** The definition with other options, and more indexes. */
    static SyncedTableDefinition with(
            SyncedTableDefinition before,
            Map<String, String> options,
            List<List<String>> newIndexes) {
        var indexes = new ArrayList<>(before.indexes());
        indexes.addAll(newIndexes);
        var mode = options.get(MODE);
        var createSchema = options.get(CREATE_SCHEMA);
        var freshness = options.get(FRESHNESS);
        return new SyncedTableDefinition(
                before.source(),
                before.primaryKey(),
                mode == null ? before.mode() : SyncedTableDefinition.mode(mode),
                options.getOrDefault(GROUP, before.group()),
                indexes,
                before.form(),
                createSchema == null ? before.createSchema() : Boolean.parseBoolean(createSchema),
                freshness == null ? before.freshnessSloMs() : Long.parseLong(freshness));
    }

    private SyncedTableStatement alter() {
        in.expect("write ALTER SYNCED TABLE name SET (mode = 'continuous')", "TABLE");
        var name = name();
        if (in.accept("ADD", "INDEX")) {
            return new SyncedTableStatement.Alter(name, Map.of(), List.of(columns()));
        }
        in.expect("write SET (mode = 'continuous') or ADD INDEX (column, …)", "SET");
        return new SyncedTableStatement.Alter(name, options(), List.of());
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
        var position = in.position();
        var parts = new ArrayList<String>();
        parts.add(in.name("a table's name"));
        while (in.accept('.')) {
            parts.add(in.name("a part of the table's name"));
        }
        if (parts.size() == 1 && !defaults.schema().isEmpty()) {
            parts.addFirst(defaults.schema());
        }
        if (parts.size() == 2 && !defaults.catalog().isEmpty()) {
            parts.addFirst(defaults.catalog());
        }
        try {
            return TableName.parse(String.join(".", parts));
        } catch (LakemillException e) {
            throw new TextRefused(position, e.problem(), e.hint());
        }
    }
}
