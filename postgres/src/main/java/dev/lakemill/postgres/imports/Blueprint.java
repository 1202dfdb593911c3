package dev.lakemill.postgres.imports;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/**
 * What a database is made of, as commands that make it again.
 *
 * @param schemas their names in Postgres
 * @param bases schemas and extensions, which our own user makes
 * @param before what is made before the rows come: types, functions, tables
 * @param after what is made after: keys, indexes, views, triggers
 * @param tables and views, partitions behind what they are part of
 * @param sequences quoted names
 * @param refusals what cannot be moved
 */
record Blueprint(
        List<String> schemas,
        List<Step> bases,
        List<Step> before,
        List<Step> after,
        List<Table> tables,
        List<String> sequences,
        List<Refusal> refusals) {
    /**
     * @param object kind and name, as messages and {@code --leave-out} call it
     * @param undo empty where another step's undo takes it away too
     */
    record Step(String object, String command, String undo) {}

    /**
     * @param kind as in pg_class
     * @param columns those that are copied, quoted
     * @param isBinary whether the rows can be copied in the binary format
     */
    record Table(
            String schema,
            String name,
            String kind,
            long rowsEstimated,
            List<String> columns,
            boolean isBinary,
            String comment) {
        /** Partitioned tables and views hold none themselves. */
        boolean hasRows() {
            return kind.equals("r");
        }

        boolean isView() {
            return kind.equals("v");
        }

        String sql() {
            return quoted(schema) + "." + quoted(name);
        }

        @Override
        public String toString() {
            return schema + "." + name;
        }
    }

    record Refusal(String object, String why, String hint) {
        @Override
        public String toString() {
            return "%s: %s (%s)".formatted(object, why, hint);
        }
    }

    Blueprint with(List<Refusal> more) {
        var all = new ArrayList<>(refusals);
        all.addAll(more);
        return new Blueprint(schemas, bases, before, after, tables, sequences, all);
    }

    /** The same for databases of the same structure. */
    String fingerprint() {
        var text = new StringBuilder();
        for (var steps : List.of(bases, before, after)) {
            steps.forEach(step -> text.append(step.command()).append('\0'));
        }
        tables.forEach(table -> text.append(table).append(table.columns()).append('\0'));
        try {
            var digest = MessageDigest.getInstance("SHA-256");
            return HexFormat.of()
                    .formatHex(digest.digest(text.toString().getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    static String quoted(String identifier) {
        return "\"" + identifier.replace("\"", "\"\"") + "\"";
    }
}
