package dev.lakemill.server;

import dev.lakemill.capture.Lake;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.CatalogTable;
import dev.lakemill.catalog.ColumnMask;
import dev.lakemill.catalog.HeldPolicies;
import dev.lakemill.catalog.RowFilter;
import dev.lakemill.catalog.TableKind;
import dev.lakemill.pipeline.LakeQuery;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableSchema;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * What a reader of a Delta table sees of it: its row filter and masks and, where it is captured
 * from a state table, that one's as they are now.
 *
 * <p>What a state table hides stays hidden where its copies know less than it does. A history does
 * not tell a NULL from a value that was not sent, so a row is hidden, and a mask NULL, where a
 * column that the policy asks about is NULL. Values under names or types that a state table with
 * masks does not have any more are NULL, for nobody knows what they were.
 */
final class LakePolicies {
    /** Texts, which are left alone, or a parameter. */
    private static final Pattern TOKEN = Pattern.compile("'[^']*'|\"[^\"]*\"|\\$(\\d+)");

    private static final LakeQuery.Rule HIDDEN = new LakeQuery.Rule("NULL", List.of());

    private final Catalog catalog;

    LakePolicies(Catalog catalog) {
        this.catalog = catalog;
    }

    /**
     * FAILED_PRECONDITION when it is closed, or cannot answer what a row filter asks.
     *
     * @param schema what is read of it
     */
    LakeQuery.Table governed(CatalogTable table, TableSchema schema, LakeQuery.Opening opening) {
        var held = catalog.policies().on(table.name());
        if (!held.gone().isEmpty()) {
            throw new LakemillException(
                    ErrorCode.FAILED_PRECONDITION,
                    "%s is closed: %s, which it is captured from, went with its row filter or masks"
                            .formatted(table.name(), held.gone()),
                    "whoever manages it opens it by a row filter or mask of its own");
        }
        var filter = Optional.<LakeQuery.Rule>empty();
        for (var each : held.filters()) {
            var rule = filter(table, held, each);
            filter = Optional.of(filter.map(f -> both(f, rule)).orElse(rule));
        }
        return new LakeQuery.Table(schema, opening, filter, masks(table, held));
    }

    private LakeQuery.Rule filter(CatalogTable table, HeldPolicies held, RowFilter filter) {
        var rule = rule(filter.function(), filter.columns());
        if (filter.table().equals(table.name())) {
            return rule;
        }
        for (var column : filter.columns()) {
            if (!has(table, held, column)) {
                throw new LakemillException(
                        ErrorCode.FAILED_PRECONDITION,
                        "the row filter of %s asks about the column %s, which %s lacks in that type"
                                .formatted(filter.table(), column, table.name()),
                        "read %s itself, or have its filter ask about another column"
                                .formatted(filter.table()));
            }
        }
        var known = known(table, filter.columns().size(), 1);
        return new LakeQuery.Rule(
                known.isEmpty() ? rule.duckSql() : "(%s) AND (%s)".formatted(known, rule.duckSql()),
                rule.columns());
    }

    private Map<String, LakeQuery.Rule> masks(CatalogTable table, HeldPolicies held) {
        var rules = new HashMap<String, LakeQuery.Rule>();
        var from = held.capturedFrom();
        if (from.isPresent() && held.masks().stream().anyMatch(m -> isOf(from.get(), m))) {
            for (var column : table.schema().columns()) {
                if (!has(table, held, column.name()) && !Lake.METADATA.contains(column.name())) {
                    rules.put(column.name(), HIDDEN);
                }
            }
        }
        for (var mask : held.masks()) {
            rules.merge(
                    mask.column(),
                    mask(table, held, mask),
                    (one, other) -> one.equals(other) ? one : HIDDEN);
        }
        return rules;
    }

    private LakeQuery.Rule mask(CatalogTable table, HeldPolicies held, ColumnMask mask) {
        var columns = new ArrayList<>(List.of(mask.column()));
        columns.addAll(mask.usingColumns());
        var rule = rule(mask.function(), columns);
        if (mask.table().equals(table.name())) {
            return rule;
        }
        if (!columns.stream().allMatch(column -> has(table, held, column))) {
            return HIDDEN;
        }
        var known = known(table, columns.size(), 2);
        return known.isEmpty()
                ? rule
                : new LakeQuery.Rule(
                        "CASE WHEN %s THEN (%s) END".formatted(known, rule.duckSql()),
                        rule.columns());
    }

    private static boolean isOf(CatalogTable table, ColumnMask mask) {
        return mask.table().equals(table.name());
    }

    /** That a history has the values of parameters; empty where there is nothing to ask. */
    private static String known(CatalogTable table, int parameters, int first) {
        return table.kind() != TableKind.STREAMING_TABLE
                ? ""
                : IntStream.rangeClosed(first, parameters)
                        .mapToObj("$%d IS NOT NULL"::formatted)
                        .collect(Collectors.joining(" AND "));
    }

    /** Whether a copy has a column as the state table has it. */
    private static boolean has(CatalogTable copy, HeldPolicies held, String column) {
        var there = held.capturedFrom().orElseThrow().schema();
        var here = copy.schema();
        var place = there.indexOf(column);
        var own = here.indexOf(column);
        return place.isPresent()
                && own.isPresent()
                && here.column(own.getAsInt()).type().equals(there.column(place.getAsInt()).type());
    }

    /** One filter and the other, whose parameters come behind. */
    private static LakeQuery.Rule both(LakeQuery.Rule one, LakeQuery.Rule other) {
        var behind = one.columns().size();
        var shifted =
                TOKEN.matcher(other.duckSql())
                        .replaceAll(
                                found ->
                                        found.group(1) == null
                                                ? Matcher.quoteReplacement(found.group())
                                                : "\\$"
                                                        + (Integer.parseInt(found.group(1))
                                                                + behind));
        var columns = new ArrayList<>(one.columns());
        columns.addAll(other.columns());
        return new LakeQuery.Rule("(%s) AND (%s)".formatted(one.duckSql(), shifted), columns);
    }

    private LakeQuery.Rule rule(String function, List<String> columns) {
        var found =
                catalog.policies()
                        .function(function)
                        .orElseThrow(
                                () ->
                                        new LakemillException(
                                                ErrorCode.FAILED_PRECONDITION,
                                                "the function %s of a row filter or mask is gone"
                                                        .formatted(function),
                                                "whoever manages the table can set it anew"));
        return new LakeQuery.Rule(found.duckSql(), columns);
    }
}
