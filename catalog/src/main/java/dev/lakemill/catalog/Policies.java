package dev.lakemill.catalog;

import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.SecurableType;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/**
 * Functions, row filters and column masks, kept in Postgres, answered from memory.
 *
 * <p>Setting a policy needs {@link Access#mayManage} on the table and EXECUTE on the function.
 * Everything is audited and raises {@link Access#version}. Safe to use from any thread.
 */
public final class Policies {
    /** How many parameters a function may have. */
    public static final int PARAMETERS_MAX = 32;

    /** How long a function's expression may be in each of its forms. */
    public static final int BODY_CHARS_MAX = 65_536;

    private final Changes changes;
    private final Access access;
    private final Securables securables;

    Policies(Changes changes, Access access, Securables securables) {
        this.changes = changes;
        this.access = access;
        this.securables = securables;
    }

    public Optional<PolicyFunction> function(String name) {
        return changes.read(
                model -> model.securable(named(name)).map(info -> model.functions.get(info.id())));
    }

    /** By name. */
    public List<PolicyFunction> functions() {
        return changes.read(model -> List.copyOf(model.functions.values())).stream()
                .sorted(Comparator.comparing(PolicyFunction::name))
                .toList();
    }

    /**
     * Needs CREATE FUNCTION on the schema; replaces one that the caller may manage.
     * FAILED_PRECONDITION when a policy uses it and the new one does not fit.
     */
    public void createFunction(Caller caller, PolicyFunction function, boolean replace) {
        var securable = named(function.name());
        check(securable, function);
        changes.change(
                model -> {
                    var known = model.securable(securable);
                    if (known.isPresent() && replace) {
                        replace(model, caller, known.get(), function);
                    } else {
                        create(model, caller, securable, function);
                    }
                    return true;
                });
    }

    private static void check(Securable securable, PolicyFunction function) {
        Securables.check(securable, function.comment(), Map.of(), "");
        if (function.parameters().size() > PARAMETERS_MAX) {
            throw Refusals.invalid(
                    "%s has %d parameters".formatted(function.name(), function.parameters().size()),
                    "there may be %d".formatted(PARAMETERS_MAX));
        }
        new TableSchema(function.parameters());
        for (var text : List.of(function.body(), function.duckSql(), function.postgresSql())) {
            Names.checkText("function's body", text, BODY_CHARS_MAX);
        }
    }

    private void create(Model model, Caller caller, Securable name, PolicyFunction function) {
        securables.requireCreate(model, caller, name, Privilege.CREATE_FUNCTION);
        var info = securables.fresh(caller, name, function.comment(), Map.of(), "");
        var parent = model.require(name.parent().orElseThrow()).id();
        changes.commit(
                Securables.event(caller, "create", name),
                connection -> {
                    if (!SecurableStore.insert(connection, parent, info)) {
                        throw Refusals.taken(name);
                    }
                    SecurableStore.insertFunction(connection, info.id(), function);
                },
                shown -> {
                    shown.put(info);
                    shown.functions.put(info.id(), function);
                });
    }

    private void replace(Model model, Caller caller, SecurableInfo known, PolicyFunction function) {
        access.require(caller, Privilege.MANAGE, known.securable());
        for (var table : model.policyTables(known.id())) {
            requireStillFits(model, table, known.id(), function);
        }
        var info =
                securables.touched(caller, known.described(function.comment(), known.properties()));
        changes.commit(
                Securables.event(caller, "update", known.securable()),
                connection -> {
                    SecurableStore.save(connection, info);
                    SecurableStore.insertFunction(connection, info.id(), function);
                },
                shown -> {
                    shown.put(info);
                    shown.functions.put(
                            info.id(),
                            function.described(info.securable().name(), function.comment()));
                });
    }

    private static void requireStillFits(
            Model model, UUID tableId, UUID id, PolicyFunction function) {
        var table = model.tables.get(tableId);
        if (table == null) {
            return;
        }
        try {
            var filter = model.filters.get(tableId);
            if (filter != null && filter.function().equals(id)) {
                checkFilter(table, function, filter.columns());
            }
            model.masks
                    .getOrDefault(tableId, Map.of())
                    .forEach(
                            (column, mask) -> {
                                if (mask.function().equals(id)) {
                                    checkMask(table, function, column, mask.columns());
                                }
                            });
        } catch (LakemillException e) {
            throw new LakemillException(
                    ErrorCode.FAILED_PRECONDITION,
                    "a policy of %s uses %s as it is: %s"
                            .formatted(table.name(), function.name(), e.problem()),
                    "drop that policy first",
                    e);
        }
    }

    /** FAILED_PRECONDITION while a filter or mask uses it. */
    public void dropFunction(Caller caller, String name) {
        securables.drop(caller, named(name), false);
    }

    public Optional<RowFilter> rowFilter(TableName table) {
        return changes.read(
                model ->
                        model.securable(Securable.table(table))
                                .flatMap(info -> Optional.ofNullable(model.filters.get(info.id())))
                                .map(p -> new RowFilter(table, name(model, p), p.columns())));
    }

    /** By column. */
    public List<ColumnMask> masks(TableName table) {
        return changes.read(
                model -> {
                    var masks = new ArrayList<ColumnMask>();
                    model.securable(Securable.table(table))
                            .map(info -> model.masks.getOrDefault(info.id(), Map.of()))
                            .orElse(Map.of())
                            .forEach((column, p) -> masks.add(mask(model, table, column, p)));
                    return List.copyOf(masks);
                });
    }

    /** Its own and, for a table that is captured from a state table, that one's. */
    public HeldPolicies on(TableName name) {
        return changes.read(
                model -> {
                    var table = model.table(name);
                    if (table == null) {
                        return HeldPolicies.NONE;
                    }
                    var filters = new ArrayList<RowFilter>();
                    var masks = new ArrayList<ColumnMask>();
                    var source = CapturedCopies.source(model, table);
                    addPolicies(model, table, filters, masks);
                    source.ifPresent(s -> addPolicies(model, s, filters, masks));
                    var gone = table.properties().getOrDefault(CatalogTable.POLICIES_GONE, "");
                    return new HeldPolicies(filters, masks, source, gone);
                });
    }

    private static void addPolicies(
            Model model, CatalogTable table, List<RowFilter> filters, List<ColumnMask> masks) {
        var filter = model.filters.get(table.id());
        if (filter != null) {
            filters.add(new RowFilter(table.name(), name(model, filter), filter.columns()));
        }
        model.masks
                .getOrDefault(table.id(), Map.of())
                .forEach((column, p) -> masks.add(mask(model, table.name(), column, p)));
    }

    private static ColumnMask mask(Model model, TableName table, String column, Model.Policy p) {
        return new ColumnMask(table, column, name(model, p), p.columns());
    }

    private static String name(Model model, Model.Policy policy) {
        return model.securable(policy.function()).orElseThrow().securable().name();
    }

    /** INVALID_ARGUMENT when function and columns do not fit one another. */
    public void setRowFilter(Caller caller, RowFilter filter) {
        changes.change(
                model -> {
                    var table = requireTable(model, caller, filter.table());
                    requireNoView(model, table);
                    var function = requireFunction(model, caller, filter.function());
                    var columns = exact(table, filter.columns());
                    checkFilter(table, model.function(function), columns);
                    var policy = new Model.Policy(function, columns);
                    var opened = CapturedCopies.opened(model, table);
                    changes.commit(
                            event(caller, "updateTableRowFilter", table, filter.function()),
                            connection -> {
                                Statements.update(
                                        connection,
                                        """
                                        INSERT INTO lakemill.row_filters
                                            (table_id, function_id, columns)
                                        VALUES (?, ?, ?) ON CONFLICT (table_id) DO UPDATE
                                        SET function_id = EXCLUDED.function_id,
                                            columns = EXCLUDED.columns
                                        """,
                                        table.id(),
                                        function,
                                        columns);
                                save(connection, opened);
                            },
                            shown -> {
                                shown.filters.put(table.id(), policy);
                                opened.ifPresent(info -> Securables.replace(shown, info));
                            });
                    return true;
                });
    }

    /** NOT_FOUND when there is none. */
    public void dropRowFilter(Caller caller, TableName name) {
        changes.change(
                model -> {
                    var table = requireTable(model, caller, name);
                    if (!model.filters.containsKey(table.id())) {
                        throw missing("%s has no row filter".formatted(name));
                    }
                    changes.commit(
                            event(caller, "deleteTableRowFilter", table, ""),
                            connection ->
                                    Statements.update(
                                            connection,
                                            "DELETE FROM lakemill.row_filters WHERE table_id = ?",
                                            table.id()),
                            shown -> shown.filters.remove(table.id()));
                    return true;
                });
    }

    /** INVALID_ARGUMENT when function and columns do not fit one another. */
    public void setMask(Caller caller, ColumnMask mask) {
        changes.change(
                model -> {
                    var table = requireTable(model, caller, mask.table());
                    requireNoView(model, table);
                    var function = requireFunction(model, caller, mask.function());
                    var column = column(table, mask.column()).name();
                    var using = exact(table, mask.usingColumns());
                    checkMask(table, model.function(function), column, using);
                    var policy = new Model.Policy(function, using);
                    var opened = CapturedCopies.opened(model, table);
                    changes.commit(
                            event(caller, "updateTableColumnMask", table, mask.function()),
                            connection -> {
                                Statements.update(
                                        connection,
                                        """
                                        INSERT INTO lakemill.column_masks
                                            (table_id, column_name, function_id, using_columns)
                                        VALUES (?, ?, ?, ?)
                                        ON CONFLICT (table_id, column_name) DO UPDATE
                                        SET function_id = EXCLUDED.function_id,
                                            using_columns = EXCLUDED.using_columns
                                        """,
                                        table.id(),
                                        column,
                                        function,
                                        using);
                                save(connection, opened);
                            },
                            shown -> {
                                shown.putMask(table.id(), column, policy);
                                opened.ifPresent(info -> Securables.replace(shown, info));
                            });
                    return true;
                });
    }

    /** NOT_FOUND when there is none. */
    public void dropMask(Caller caller, TableName name, String column) {
        changes.change(
                model -> {
                    var table = requireTable(model, caller, name);
                    var exact = column(table, column).name();
                    if (!model.masks.getOrDefault(table.id(), Map.of()).containsKey(exact)) {
                        throw missing("%s has no mask on %s".formatted(name, exact));
                    }
                    changes.commit(
                            event(caller, "deleteTableColumnMask", table, ""),
                            connection ->
                                    Statements.update(
                                            connection,
                                            """
                                            DELETE FROM lakemill.column_masks
                                            WHERE table_id = ? AND column_name = ?
                                            """,
                                            table.id(),
                                            exact),
                            shown -> shown.removeMask(table.id(), exact));
                    return true;
                });
    }

    private static void save(Connection connection, Optional<SecurableInfo> opened)
            throws SQLException {
        if (opened.isPresent()) {
            SecurableStore.save(connection, opened.get());
        }
    }

    private CatalogTable requireTable(Model model, Caller caller, TableName name) {
        access.require(caller, Privilege.MANAGE, Securable.table(name));
        return model.requireTable(name);
    }

    private UUID requireFunction(Model model, Caller caller, String name) {
        access.require(caller, Privilege.EXECUTE, named(name));
        return model.require(named(name)).id();
    }

    static Column column(CatalogTable table, String name) {
        var index = table.schema().indexOf(name);
        if (index.isEmpty()) {
            throw Refusals.invalid(
                    "%s has no column %s".formatted(table.name(), name), "name one of its columns");
        }
        return table.schema().column(index.getAsInt());
    }

    private static List<String> exact(CatalogTable table, List<String> columns) {
        return columns.stream().map(name -> column(table, name).name()).toList();
    }

    private static void checkFilter(
            CatalogTable table, PolicyFunction function, List<String> columns) {
        if (!function.returns().equals(DataType.Primitive.BOOLEAN)) {
            throw unfit(
                    "%s returns %s".formatted(function.name(), function.returns().sql()),
                    "a row filter is BOOLEAN");
        }
        checkArguments(table, function, columns);
    }

    private static void checkMask(
            CatalogTable table, PolicyFunction function, String column, List<String> using) {
        var type = column(table, column).type();
        if (!function.returns().equals(type)) {
            throw unfit(
                    "%s returns %s, and the column %s is %s"
                            .formatted(
                                    function.name(), function.returns().sql(), column, type.sql()),
                    "a mask returns its column's type");
        }
        var arguments = new ArrayList<>(List.of(column));
        arguments.addAll(using);
        checkArguments(table, function, arguments);
    }

    private static void checkArguments(
            CatalogTable table, PolicyFunction function, List<String> columns) {
        var parameters = function.parameters();
        if (parameters.size() != columns.size()) {
            throw unfit(
                    "%s takes %d values and is given %d"
                            .formatted(function.name(), parameters.size(), columns.size()),
                    "give one column for each parameter; a mask's own column is the first");
        }
        for (var i = 0; i < columns.size(); i++) {
            var column = column(table, columns.get(i));
            if (!column.type().equals(parameters.get(i).type())) {
                throw unfit(
                        "%s of %s is %s, and the parameter %s of %s is %s"
                                .formatted(
                                        column.name(),
                                        table.name(),
                                        column.type().sql(),
                                        parameters.get(i).name(),
                                        function.name(),
                                        parameters.get(i).type().sql()),
                        "the types must be the same");
            }
        }
    }

    /**
     * FAILED_PRECONDITION when a policy of the table uses a column that goes or changes its type.
     */
    static void requireColumnsStay(Model model, CatalogTable table, TableSchema after) {
        var used = new ArrayList<String>();
        var filter = model.filters.get(table.id());
        if (filter != null) {
            used.addAll(filter.columns());
        }
        model.masks
                .getOrDefault(table.id(), Map.of())
                .forEach(
                        (column, mask) -> {
                            used.add(column);
                            used.addAll(mask.columns());
                        });
        for (var name : Set.copyOf(used)) {
            var index = after.indexOf(name);
            if (index.isEmpty()
                    || !after.column(index.getAsInt()).type().equals(column(table, name).type())) {
                throw Refusals.precondition(
                        "a row filter or mask of %s uses the column %s"
                                .formatted(table.name(), name),
                        "drop that policy first");
            }
        }
    }

    private static void requireNoView(Model model, CatalogTable table) {
        if (model.views.containsKey(table.id())) {
            throw Refusals.precondition(
                    "%s is a view, and those have no row filter or masks".formatted(table.name()),
                    "set it on the tables that the view reads, or have its text ask"
                            + " current_user() or is_account_group_member()");
        }
    }

    private static AuditEvent event(
            Caller caller, String action, CatalogTable table, String function) {
        return AuditEvent.done(
                caller,
                "unityCatalog",
                action,
                Map.of("full_name_arg", table.name().toString(), "function_name", function));
    }

    private static Securable named(String function) {
        return new Securable(SecurableType.FUNCTION, function);
    }

    private static LakemillException unfit(String problem, String hint) {
        return Refusals.invalid(problem, hint);
    }

    private static LakemillException missing(String problem) {
        return new LakemillException(ErrorCode.NOT_FOUND, problem, "");
    }
}
