package dev.lakemill.server;

import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.CatalogTable;
import dev.lakemill.catalog.Grant;
import dev.lakemill.catalog.SecurableInfo;
import dev.lakemill.catalog.TableKind;
import dev.lakemill.catalog.ViewDefinition;
import dev.lakemill.types.Securable;
import dev.lakemill.types.SecurableType;
import dev.lakemill.types.TableName;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The catalog as tables, with Databricks' names: {@code system.information_schema} of all catalogs,
 * {@code catalog.information_schema} of one, {@code system.access} and {@code system.lakeflow}.
 * Everybody may ask; the rows are those that the caller may know of.
 */
final class SystemTables {
    private static final String SYSTEM = "system";
    private static final String INFORMATION = "information_schema";
    private static final String STAMPS =
            "comment:STRING,created:TIMESTAMP,created_by:STRING,last_altered:TIMESTAMP,"
                    + "last_altered_by:STRING";
    private static final String TABLE =
            "table_catalog:STRING,table_schema:STRING,table_name:STRING,";
    private static final String TAGGED = "catalog_name:STRING,schema_name:STRING,";
    private static final String GRANTED =
            "grantor:STRING,grantee:STRING,%sprivilege_type:STRING,is_grantable:STRING,"
                    + "inherited_from:STRING";

    /** Rows of a view, of the catalogs that a test accepts. */
    private interface View {
        Stream<List<@Nullable Object>> rows(Visible visible, Predicate<String> catalogs);
    }

    private record Definition(String columns, View view) {}

    private final Catalog catalog;
    private final Map<String, SystemTable> kept = new HashMap<>();
    private final Map<String, Definition> information = new HashMap<>();

    /**
     * @param kept the tables of the catalog {@code system} beside its information schema
     */
    SystemTables(Catalog catalog, List<SystemTable> kept) {
        this.catalog = catalog;
        kept.forEach(table -> this.kept.put(key(table.name().toString()), table));
        define();
    }

    /** Empty for what is not one of the system's tables. */
    Optional<SystemTable> find(TableName name) {
        var found = kept.get(key(name.toString()));
        if (found != null) {
            return Optional.of(found);
        }
        if (!name.schema().equalsIgnoreCase(INFORMATION)) {
            return Optional.empty();
        }
        Predicate<String> catalogs =
                name.catalog().equalsIgnoreCase(SYSTEM)
                        ? _ -> true
                        : name.catalog()::equalsIgnoreCase;
        return Optional.ofNullable(information.get(key(name.table())))
                .map(
                        view ->
                                SystemTable.of(
                                        name,
                                        view.columns(),
                                        caller ->
                                                view.view()
                                                        .rows(
                                                                new Visible(catalog, caller),
                                                                catalogs)));
    }

    /** The tables of the catalog that the caller may know of. */
    List<CatalogTable> seenBy(Caller caller) {
        return new Visible(catalog, caller).tables().toList();
    }

    private static String key(String name) {
        return name.toLowerCase(Locale.ROOT);
    }

    private void define() {
        define(
                "catalogs",
                "catalog_name:STRING,catalog_owner:STRING," + STAMPS,
                (v, in) -> v.catalogs().map(this::stamped).filter(row -> in.test(text(row, 0))));
        define(
                "schemata",
                "catalog_name:STRING,schema_name:STRING,schema_owner:STRING," + STAMPS,
                (v, in) -> v.schemas().map(this::stamped).filter(row -> in.test(text(row, 0))));
        define(
                "tables",
                TABLE
                        + "table_type:STRING,is_insertable_into:STRING,commit_action:STRING,"
                        + "table_owner:STRING,"
                        + STAMPS
                        + ",data_source_format:STRING,storage_path:STRING",
                (v, in) -> tables(v, in).map(t -> table(v, t)));
        define(
                "columns",
                TABLE
                        + "column_name:STRING,ordinal_position:INT,column_default:STRING,"
                        + "is_nullable:STRING,full_data_type:STRING,data_type:STRING,comment:STRING",
                (v, in) -> tables(v, in).flatMap(SystemTables::columns));
        define(
                "views",
                TABLE
                        + "view_definition:STRING,check_option:STRING,is_updatable:STRING,"
                        + "is_insertable_into:STRING,sql_path:STRING,is_materialized:STRING",
                this::views);
        define(
                "routines",
                "specific_catalog:STRING,specific_schema:STRING,specific_name:STRING,"
                        + "routine_owner:STRING,routine_type:STRING,data_type:STRING,"
                        + "routine_body:STRING,routine_definition:STRING,comment:STRING",
                this::routines);
        definePrivileges();
        definePolicies();
        defineTags();
    }

    private void define(String name, String columns, View view) {
        information.put(name, new Definition(columns, view));
    }

    private void definePrivileges() {
        define(
                "catalog_privileges",
                GRANTED.formatted("catalog_name:STRING,"),
                (v, in) -> privileges(v, v.catalogs().map(SecurableInfo::securable), in));
        define(
                "schema_privileges",
                GRANTED.formatted("catalog_name:STRING,schema_name:STRING,"),
                (v, in) -> privileges(v, v.schemas().map(SecurableInfo::securable), in));
        define(
                "table_privileges",
                GRANTED.formatted(TABLE),
                (v, in) -> privileges(v, v.tables().map(t -> Securable.table(t.name())), in));
    }

    private void definePolicies() {
        define(
                "row_filters",
                TABLE + "filter_name:STRING,target_columns:STRING",
                (v, in) ->
                        tables(v, in)
                                .flatMap(t -> catalog.policies().rowFilter(t.name()).stream())
                                .map(
                                        filter ->
                                                row(
                                                        filter.table().toString(),
                                                        filter.function(),
                                                        String.join(",", filter.columns()))));
        define(
                "column_masks",
                TABLE + "column_name:STRING,mask_name:STRING,using_columns:STRING",
                (v, in) ->
                        tables(v, in)
                                .flatMap(t -> catalog.policies().masks(t.name()).stream())
                                .map(
                                        mask ->
                                                row(
                                                        mask.table().toString(),
                                                        mask.column(),
                                                        mask.function(),
                                                        String.join(",", mask.usingColumns()))));
    }

    private void defineTags() {
        define(
                "catalog_tags",
                "catalog_name:STRING,tag_name:STRING,tag_value:STRING",
                (v, in) -> tags(v, in, SecurableType.CATALOG, false));
        define(
                "schema_tags",
                TAGGED + "tag_name:STRING,tag_value:STRING",
                (v, in) -> tags(v, in, SecurableType.SCHEMA, false));
        define(
                "table_tags",
                TAGGED + "table_name:STRING,tag_name:STRING,tag_value:STRING",
                (v, in) -> tags(v, in, SecurableType.TABLE, false));
        define(
                "column_tags",
                TAGGED + "table_name:STRING,column_name:STRING,tag_name:STRING,tag_value:STRING",
                (v, in) -> tags(v, in, SecurableType.TABLE, true));
    }

    private static Stream<CatalogTable> tables(Visible visible, Predicate<String> catalogs) {
        return visible.tables().filter(table -> catalogs.test(table.name().catalog()));
    }

    /** The parts of a name, and values behind them. */
    private static List<@Nullable Object> row(String name, @Nullable Object... values) {
        var row = new ArrayList<@Nullable Object>(List.of(name.split("\\.")));
        row.addAll(Arrays.asList(values));
        return row;
    }

    private static String text(List<@Nullable Object> row, int place) {
        return String.valueOf(row.get(place));
    }

    private List<@Nullable Object> stamped(SecurableInfo info) {
        return row(
                info.securable().name(),
                info.owner().name(),
                info.comment(),
                info.createdAt(),
                info.createdBy(),
                info.updatedAt(),
                info.updatedBy());
    }

    private List<@Nullable Object> table(Visible visible, CatalogTable table) {
        var info = catalog.securables().find(Securable.table(table.name()));
        return row(
                table.name().toString(),
                type(table.kind()),
                table.kind() == TableKind.INGESTED ? "YES" : "NO",
                "PRESERVE",
                catalog.grants().owner(Securable.table(table.name())).name(),
                table.comment(),
                table.createdAt(),
                info.map(SecurableInfo::createdBy).orElse(null),
                info.<Instant>map(SecurableInfo::updatedAt).orElse(table.createdAt()),
                info.map(SecurableInfo::updatedBy).orElse(null),
                format(table),
                table.location().isEmpty() || !visible.tellsLocation(table)
                        ? null
                        : table.location());
    }

    private static String format(CatalogTable table) {
        if (table.location().isEmpty()) {
            return "UNKNOWN_DATA_SOURCE_FORMAT";
        }
        return table.location().startsWith("postgres:") ? "POSTGRESQL_FORMAT" : "DELTA";
    }

    /** The text is told to those who may change it, as Databricks does. */
    private Stream<List<@Nullable Object>> views(Visible visible, Predicate<String> catalogs) {
        return tables(visible, catalogs)
                .flatMap(
                        t ->
                                catalog.view(t.name()).stream()
                                        .map(
                                                view ->
                                                        row(
                                                                t.name().toString(),
                                                                told(visible, t, view),
                                                                "NONE",
                                                                "NO",
                                                                "NO",
                                                                null,
                                                                "false")));
    }

    private static @Nullable String told(Visible visible, CatalogTable table, ViewDefinition view) {
        return visible.manages(Securable.table(table.name())) ? view.text() : null;
    }

    /** Databricks' word for a kind of table. */
    static String type(TableKind kind) {
        return switch (kind) {
            case MATERIALIZED_VIEW -> "MATERIALIZED_VIEW";
            case STREAMING_TABLE -> "STREAMING_TABLE";
            case SYNCED, STATE -> "FOREIGN";
            case EXTERNAL -> "EXTERNAL";
            case VIEW -> "VIEW";
            case INGESTED, QUARANTINE, MANAGED -> "MANAGED";
        };
    }

    private static Stream<List<@Nullable Object>> columns(CatalogTable table) {
        var columns = table.schema().columns();
        return IntStream.range(0, columns.size())
                .mapToObj(
                        i ->
                                row(
                                        table.name().toString(),
                                        columns.get(i).name(),
                                        i,
                                        null,
                                        columns.get(i).nullable() ? "YES" : "NO",
                                        columns.get(i).type().sql().toLowerCase(Locale.ROOT),
                                        columns.get(i).type().sql().split("[(<]")[0],
                                        columns.get(i).comment()));
    }

    private Stream<List<@Nullable Object>> routines(Visible visible, Predicate<String> catalogs) {
        return catalog.policies().functions().stream()
                .filter(f -> visible.sees(new Securable(SecurableType.FUNCTION, f.name())))
                .map(
                        f ->
                                row(
                                        f.name(),
                                        catalog.grants()
                                                .owner(
                                                        new Securable(
                                                                SecurableType.FUNCTION, f.name()))
                                                .name(),
                                        "FUNCTION",
                                        f.returns().sql(),
                                        "SQL",
                                        f.body(),
                                        f.comment()))
                .filter(row -> catalogs.test(text(row, 0)));
    }

    private static Stream<List<@Nullable Object>> privileges(
            Visible visible, Stream<Securable> on, Predicate<String> catalogs) {
        return on.filter(s -> catalogs.test(s.name().split("\\.")[0]))
                .flatMap(s -> visible.grants(s).map(grant -> privilege(s, grant)));
    }

    private static List<@Nullable Object> privilege(Securable securable, Grant grant) {
        var row = new ArrayList<@Nullable Object>();
        row.add(null);
        row.add(grant.principal().name());
        row.addAll(List.of(securable.name().split("\\.")));
        row.add(grant.privilege().name());
        row.add("NO");
        row.add(grant.on().equals(securable) ? "NONE" : grant.on().type().name());
        return row;
    }

    private Stream<List<@Nullable Object>> tags(
            Visible visible, Predicate<String> catalogs, SecurableType type, boolean ofColumns) {
        return catalog.tags().all().stream()
                .filter(tag -> tag.on().type() == type && tag.column().isEmpty() != ofColumns)
                .filter(tag -> catalogs.test(tag.on().name().split("\\.")[0]))
                .filter(tag -> visible.sees(tag.on()))
                .map(
                        tag ->
                                ofColumns
                                        ? row(tag.on().name(), tag.column(), tag.key(), tag.value())
                                        : row(tag.on().name(), tag.key(), tag.value()));
    }
}
