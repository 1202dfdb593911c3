package dev.lakemill.server;

import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.CatalogTable;
import dev.lakemill.catalog.GovernanceStatement;
import dev.lakemill.catalog.GovernanceStatement.Existing;
import dev.lakemill.catalog.Grant;
import dev.lakemill.catalog.GrantChange;
import dev.lakemill.catalog.PrincipalInfo;
import dev.lakemill.catalog.SecurableInfo;
import dev.lakemill.catalog.Tag;
import dev.lakemill.types.Column;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Principal;
import dev.lakemill.types.PrincipalKind;
import dev.lakemill.types.Securable;
import dev.lakemill.types.SecurableType;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Does the statements about the catalog. Who may change what is the catalog's to say; what is
 * listed is what the caller may know of.
 */
final class GovernanceStatements {
    private final Catalog catalog;
    private final PolicyCompiler functions;
    private final PrincipalStatements principals;

    GovernanceStatements(Catalog catalog, PolicyCompiler functions) {
        this.catalog = catalog;
        this.functions = functions;
        this.principals = new PrincipalStatements(catalog.principals());
    }

    SqlAnswer run(Caller caller, GovernanceStatement statement) {
        return switch (statement) {
            case GovernanceStatement.ShowGrants show -> grants(caller, show);
            case GovernanceStatement.Show show -> listing(caller, show);
            case GovernanceStatement.Describe describe -> describe(caller, describe);
            default -> {
                change(caller, statement);
                yield SqlAnswer.DONE;
            }
        };
    }

    private void change(Caller caller, GovernanceStatement statement) {
        switch (statement) {
            case GovernanceStatement.GrantPrivileges(var privileges, var on, var principal) ->
                    catalog.grants()
                            .change(
                                    caller,
                                    on,
                                    List.of(new GrantChange(principal, privileges, Set.of())));
            case GovernanceStatement.RevokePrivileges(var privileges, var on, var principal) ->
                    catalog.grants()
                            .change(
                                    caller,
                                    on,
                                    List.of(new GrantChange(principal, Set.of(), privileges)));
            case GovernanceStatement.SetOwner(var on, var owner) ->
                    catalog.grants().transfer(caller, on, owner);
            case GovernanceStatement.SetRowFilter(var filter) -> {
                SyncedTableRules.requireNoCopy(catalog, filter.table());
                catalog.policies().setRowFilter(caller, filter);
            }
            case GovernanceStatement.DropRowFilter(var table) ->
                    catalog.policies().dropRowFilter(caller, table);
            case GovernanceStatement.SetMask(var mask) -> {
                SyncedTableRules.requireNoCopy(catalog, mask.table());
                catalog.policies().setMask(caller, mask);
            }
            case GovernanceStatement.DropMask(var table, var column) ->
                    catalog.policies().dropMask(caller, table, column);
            case GovernanceStatement.SetTags(var on, var column, var tags) ->
                    catalog.tags().set(caller, on, column, tags);
            case GovernanceStatement.UnsetTags(var on, var column, var keys) ->
                    catalog.tags().unset(caller, on, column, keys);
            case GovernanceStatement.Comment comment -> comment(caller, comment);
            case GovernanceStatement.CreateFunction create -> createFunction(caller, create);
            case GovernanceStatement.Create create -> create(caller, create);
            case GovernanceStatement.Drop drop -> drop(caller, drop);
            case GovernanceStatement.CreatePrincipal create -> principals.create(caller, create);
            case GovernanceStatement.DropPrincipal drop -> principals.drop(caller, drop);
            case GovernanceStatement.ChangeMembers change -> principals.change(caller, change);
            case GovernanceStatement.ShowGrants _,
                    GovernanceStatement.Show _,
                    GovernanceStatement.Describe _ ->
                    throw new IllegalArgumentException("changes nothing: " + statement);
        }
    }

    private void comment(Caller caller, GovernanceStatement.Comment comment) {
        var info = require(caller, comment.on());
        if (comment.column().isEmpty()) {
            catalog.securables()
                    .update(caller, info.securable(), comment.text(), info.properties());
            return;
        }
        var table = catalog.find(TableName.parse(comment.on().name())).orElseThrow();
        catalog.update(
                caller,
                table.name(),
                commented(table, comment.column(), comment.text()),
                table.comment(),
                table.properties());
    }

    private static TableSchema commented(CatalogTable table, String column, String text) {
        var place =
                table.schema()
                        .indexOf(column)
                        .orElseThrow(
                                () ->
                                        new LakemillException(
                                                ErrorCode.NOT_FOUND,
                                                "%s has no column '%s'"
                                                        .formatted(table.name(), column),
                                                "DESCRIBE TABLE shows its columns"));
        var columns = new ArrayList<>(table.schema().columns());
        var old = columns.get(place);
        columns.set(place, new Column(old.name(), old.type(), old.nullable(), text));
        return new TableSchema(columns);
    }

    private void createFunction(Caller caller, GovernanceStatement.CreateFunction create) {
        if (create.existing() == Existing.STAYS
                && catalog.policies().function(create.name()).isPresent()) {
            return;
        }
        var function =
                functions.compile(
                        create.name(),
                        create.parameters(),
                        create.returns(),
                        create.body(),
                        create.comment());
        catalog.policies().createFunction(caller, function, create.existing() == Existing.REPLACED);
    }

    private void create(Caller caller, GovernanceStatement.Create create) {
        if (create.existing() == Existing.STAYS
                && catalog.securables().find(create.securable()).isPresent()) {
            return;
        }
        catalog.securables().create(caller, create.securable(), create.comment(), Map.of(), "");
    }

    private void drop(Caller caller, GovernanceStatement.Drop drop) {
        var dropped = drop.securable();
        var isFunction = dropped.type() == SecurableType.FUNCTION;
        var exists =
                isFunction
                        ? catalog.policies().function(dropped.name()).isPresent()
                        : catalog.securables().find(dropped).isPresent();
        if (drop.ifExists() && !exists) {
            return;
        }
        if (isFunction) {
            catalog.policies().dropFunction(caller, dropped.name());
        } else {
            catalog.securables().drop(caller, dropped, drop.cascade());
        }
    }

    /** What the caller may know of; all else is as if it was not there. */
    private SecurableInfo require(Caller caller, Securable securable) {
        var visible = new Visible(catalog, caller);
        return catalog.securables()
                .find(securable)
                .filter(info -> visible.sees(info.securable()))
                .orElseThrow(
                        () ->
                                new LakemillException(
                                        ErrorCode.NOT_FOUND,
                                        "there is no %s, or you may not see it"
                                                .formatted(securable),
                                        "SHOW CATALOGS, SHOW SCHEMAS IN and SHOW TABLES IN list"
                                                + " what you see"));
    }

    private SqlAnswer grants(Caller caller, GovernanceStatement.ShowGrants show) {
        var visible = new Visible(catalog, caller);
        var principal = show.principal().map(this::principal);
        var grants =
                show.on()
                        .map(on -> visible.grants(require(caller, on).securable()))
                        .orElseGet(() -> all(visible));
        return SqlAnswer.of(
                List.of("principal", "action_type", "object_type", "object_key"),
                grants.filter(grant -> principal.map(p -> p.equals(grant.principal())).orElse(true))
                        .map(
                                grant ->
                                        row(
                                                grant.principal().name(),
                                                grant.privilege().sql(),
                                                grant.on().type().name(),
                                                grant.on().name()))
                        .sorted((a, b) -> a.toString().compareTo(b.toString()))
                        .toList());
    }

    private Stream<Grant> all(Visible visible) {
        return catalog.grants().all().stream()
                .filter(grant -> visible.isOwn(grant) || visible.manages(grant.on()));
    }

    private Principal principal(String name) {
        return catalog.principals()
                .find(name)
                .map(PrincipalInfo::principal)
                .orElseThrow(
                        () ->
                                new LakemillException(
                                        ErrorCode.NOT_FOUND,
                                        "there is no principal '%s'".formatted(name),
                                        "SHOW USERS and SHOW GROUPS list them"));
    }

    private SqlAnswer listing(Caller caller, GovernanceStatement.Show show) {
        var visible = new Visible(catalog, caller);
        var in = show.in().map(container -> require(caller, container).securable());
        return switch (show.kind()) {
            case CATALOGS -> names("catalog", visible.catalogs(), show);
            case SCHEMAS ->
                    names(
                            "databaseName",
                            visible.children(in.orElseThrow(), SecurableType.SCHEMA),
                            show);
            case TABLES -> tables(visible, in.orElseThrow(), show);
            case FUNCTIONS ->
                    names(
                            "function",
                            visible.children(in.orElseThrow(), SecurableType.FUNCTION),
                            show);
            case GROUPS -> principals(PrincipalKind.GROUP, show);
            case USERS -> principals(PrincipalKind.USER, show);
        };
    }

    private static SqlAnswer names(
            String column, Stream<SecurableInfo> securables, GovernanceStatement.Show show) {
        return SqlAnswer.of(
                List.of(column),
                securables
                        .map(info -> last(info.securable().name()))
                        .filter(Patterns.like(show.like()))
                        .sorted()
                        .map(GovernanceStatements::row)
                        .toList());
    }

    private static SqlAnswer tables(
            Visible visible, Securable schema, GovernanceStatement.Show show) {
        var like = Patterns.like(show.like());
        return SqlAnswer.of(
                List.of("database", "tableName", "isTemporary"),
                visible.tables()
                        .map(CatalogTable::name)
                        .filter(
                                t ->
                                        (t.catalog() + "." + t.schema())
                                                .equalsIgnoreCase(schema.name()))
                        .filter(t -> like.test(t.table()))
                        .sorted()
                        .map(t -> row(t.schema(), t.table(), "false"))
                        .toList());
    }

    private SqlAnswer principals(PrincipalKind kind, GovernanceStatement.Show show) {
        return SqlAnswer.of(
                List.of("name"),
                catalog.principals().list(kind).stream()
                        .map(info -> info.principal().name())
                        .filter(Patterns.like(show.like()))
                        .map(GovernanceStatements::row)
                        .toList());
    }

    private static String last(String name) {
        return name.substring(name.lastIndexOf('.') + 1);
    }

    private SqlAnswer describe(Caller caller, GovernanceStatement.Describe describe) {
        var info = require(caller, Securable.table(describe.table()));
        var table = catalog.find(describe.table()).orElseThrow();
        var rows = new ArrayList<List<@Nullable String>>();
        for (var column : table.schema().columns()) {
            rows.add(
                    row(
                            column.name(),
                            column.type().sql().toLowerCase(Locale.ROOT),
                            column.comment().isEmpty() ? null : column.comment()));
        }
        if (describe.extended()) {
            rows.addAll(details(caller, table, info));
        }
        return SqlAnswer.of(List.of("col_name", "data_type", "comment"), rows);
    }

    private List<List<@Nullable String>> details(
            Caller caller, CatalogTable table, SecurableInfo info) {
        var rows = new ArrayList<List<@Nullable String>>();
        rows.add(row("", "", ""));
        rows.add(row("# Detailed Table Information", "", ""));
        rows.add(row("Catalog", table.name().catalog(), ""));
        rows.add(row("Database", table.name().schema(), ""));
        rows.add(row("Table", table.name().table(), ""));
        rows.add(row("Type", SystemTables.type(table.kind()), ""));
        rows.add(row("Owner", info.owner().name(), ""));
        rows.add(row("Comment", table.comment(), ""));
        if (new Visible(catalog, caller).tellsLocation(table)) {
            rows.add(row("Location", table.location(), ""));
        }
        rows.add(row("Created Time", table.createdAt().toString(), ""));
        rows.add(row("Created By", info.createdBy(), ""));
        table.properties().entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .forEach(p -> rows.add(row("Property " + p.getKey(), p.getValue(), "")));
        if (new Visible(catalog, caller).manages(info.securable())) {
            catalog.view(table.name())
                    .ifPresent(view -> rows.add(row("View Text", view.text(), "")));
        }
        var held = catalog.policies().on(table.name());
        for (var filter : held.filters()) {
            rows.add(
                    row(
                            "Row Filter",
                            call(filter.function(), filter.columns()),
                            whose(table, filter.table())));
        }
        for (var mask : held.masks()) {
            var columns =
                    Stream.concat(Stream.of(mask.column()), mask.usingColumns().stream()).toList();
            rows.add(
                    row(
                            "Mask of " + mask.column(),
                            call(mask.function(), columns),
                            whose(table, mask.table())));
        }
        for (var tag : catalog.tags().on(info.securable())) {
            rows.add(row("Tag" + of(tag), tag.key() + " = " + tag.value(), ""));
        }
        return rows;
    }

    private static String whose(CatalogTable table, TableName policy) {
        return policy.equals(table.name()) ? "" : "of " + policy;
    }

    private static String of(Tag tag) {
        return tag.column().isEmpty() ? "" : " of " + tag.column();
    }

    private static String call(String function, List<String> columns) {
        return function + "(" + String.join(", ", columns) + ")";
    }

    private static List<@Nullable String> row(@Nullable String... values) {
        return Arrays.asList(values);
    }
}
