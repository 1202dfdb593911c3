package dev.lakemill.server;

import dev.lakemill.catalog.NameDefaults;
import dev.lakemill.plan.TextRefused;
import dev.lakemill.plan.TokenReader;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import java.util.ArrayList;
import java.util.List;

/** Names of tables as statements write them. */
final class TableNames {
    private TableNames() {}

    /** The name that comes next. */
    static TableName read(TokenReader in, NameDefaults defaults) {
        var position = in.position();
        var parts = new ArrayList<String>();
        parts.add(in.name("a table's name"));
        while (in.accept('.')) {
            parts.add(in.name("a part of the table's name"));
        }
        try {
            return completed(parts, defaults);
        } catch (LakemillException e) {
            throw new TextRefused(position, e.problem(), e.hint());
        }
    }

    /** INVALID_ARGUMENT when it is no whole name. */
    static TableName completed(List<String> written, NameDefaults defaults) {
        var parts = new ArrayList<>(written);
        if (parts.size() == 1 && !defaults.schema().isEmpty()) {
            parts.addFirst(defaults.schema());
        }
        if (parts.size() == 2 && !defaults.catalog().isEmpty()) {
            parts.addFirst(defaults.catalog());
        }
        return TableName.parse(String.join(".", parts));
    }
}
