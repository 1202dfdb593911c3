package dev.lakemill.catalog;

import dev.lakemill.plan.TokenReader;
import dev.lakemill.types.Securable;
import dev.lakemill.types.SecurableType;
import dev.lakemill.types.TableName;
import java.util.List;
import java.util.Set;

/** Reads what stands behind ALTER. */
final class AlterParser {
    private static final String FORMS =
            "SET OWNER TO, SET TAGS, UNSET TAGS, SET ROW FILTER, DROP ROW FILTER or ALTER COLUMN";

    private final TokenReader in;
    private final SecurableReader names;

    AlterParser(TokenReader in, SecurableReader names) {
        this.in = in;
        this.names = names;
    }

    GovernanceStatement alter() {
        var on = names.securable();
        if (in.accept("OWNER", "TO") || in.accept("SET", "OWNER", "TO")) {
            return new GovernanceStatement.SetOwner(on, names.principal());
        }
        if (in.accept("SET", "TAGS")) {
            return new GovernanceStatement.SetTags(on, "", GovernanceParser.tags(in));
        }
        if (in.accept("UNSET", "TAGS")) {
            return new GovernanceStatement.UnsetTags(on, "", keys());
        }
        if (on.type() == SecurableType.TABLE) {
            return table(on, TableName.parse(on.name()));
        }
        throw in.unexpected("OWNER TO, SET TAGS or UNSET TAGS", "");
    }

    private GovernanceStatement table(Securable on, TableName table) {
        if (in.accept("SET", "ROW", "FILTER")) {
            var function = names.named(SecurableType.FUNCTION).name();
            in.expect("write SET ROW FILTER function ON (columns)", "ON");
            return new GovernanceStatement.SetRowFilter(new RowFilter(table, function, columns()));
        }
        if (in.accept("DROP", "ROW", "FILTER")) {
            return new GovernanceStatement.DropRowFilter(table);
        }
        if (in.accept("ALTER", "COLUMN") || in.accept("ALTER")) {
            return column(on, table, in.name("a column's name"));
        }
        throw in.unexpected(FORMS, "");
    }

    private GovernanceStatement column(Securable on, TableName table, String column) {
        if (in.accept("SET", "MASK")) {
            var function = names.named(SecurableType.FUNCTION).name();
            var using = in.accept("USING", "COLUMNS") ? columns() : List.<String>of();
            return new GovernanceStatement.SetMask(new ColumnMask(table, column, function, using));
        }
        if (in.accept("DROP", "MASK")) {
            return new GovernanceStatement.DropMask(table, column);
        }
        if (in.accept("SET", "TAGS")) {
            return new GovernanceStatement.SetTags(on, column, GovernanceParser.tags(in));
        }
        if (in.accept("UNSET", "TAGS")) {
            return new GovernanceStatement.UnsetTags(on, column, keys());
        }
        if (in.accept("COMMENT")) {
            return new GovernanceStatement.Comment(on, column, in.string("the comment"));
        }
        throw in.unexpected("SET MASK, DROP MASK, SET TAGS, UNSET TAGS or COMMENT", "");
    }

    private List<String> columns() {
        if (in.accept('(', ')')) {
            return List.of();
        }
        return in.list("list columns in parentheses", () -> in.name("a column's name"));
    }

    private Set<String> keys() {
        return Set.copyOf(
                in.list("list keys in parentheses: ('key', …)", () -> in.string("a tag's key")));
    }
}
