package dev.lakemill.api.pipeline;

import java.util.List;

/**
 * A query, put together clause after clause in the order of SQL; each step is a value of its own.
 * Expressions are SQL text.
 *
 * {@snippet :
 * Query.select("kind", "count(*) AS events").from("main.silver.events").groupBy("kind");
 * }
 */
public final class Query {
    private final String sql;

    private Query(String sql) {
        this.sql = sql;
    }

    /** The columns of a query that is not whole yet. */
    public static Selected select(String... expressions) {
        return new Selected("SELECT " + list(expressions));
    }

    /** What comes behind SELECT. */
    public static final class Selected {
        private final String sql;

        private Selected(String sql) {
            this.sql = sql;
        }

        /** All rows of a table or view. */
        public Source from(String table) {
            return new Source(sql + "\nFROM " + table);
        }

        /** Each new row of a table that only grows, once. */
        public Source fromStream(String table) {
            return new Source(sql + "\nFROM STREAM(" + table + ")");
        }
    }

    /** A query that can be joined. */
    public static final class Source {
        private final String sql;

        private Source(String sql) {
            this.sql = sql;
        }

        public Source as(String alias) {
            return new Source(sql + " AS " + alias);
        }

        /**
         * @param table with an alias, if it needs one
         */
        public Source join(String table, String condition) {
            return new Source(sql + "\nJOIN " + table + " ON " + condition);
        }

        public Source leftJoin(String table, String condition) {
            return new Source(sql + "\nLEFT JOIN " + table + " ON " + condition);
        }

        /** Rows for which all conditions are true. */
        public Filtered where(String... conditions) {
            return new Filtered(sql + "\nWHERE (" + String.join(") AND (", conditions) + ")");
        }

        public Query groupBy(String... expressions) {
            return new Filtered(sql).groupBy(expressions);
        }

        public Query query() {
            return new Query(sql);
        }

        @Override
        public String toString() {
            return sql;
        }
    }

    /** A query that can be grouped. */
    public static final class Filtered {
        private final String sql;

        private Filtered(String sql) {
            this.sql = sql;
        }

        public Query groupBy(String... expressions) {
            return new Query(sql + "\nGROUP BY " + list(expressions));
        }

        public Query query() {
            return new Query(sql);
        }

        @Override
        public String toString() {
            return sql;
        }
    }

    /** Groups for which all conditions are true. */
    public Query having(String... conditions) {
        return new Query(sql + "\nHAVING (" + String.join(") AND (", conditions) + ")");
    }

    /** The rows of both, as they are. */
    public Query unionAll(Query other) {
        return new Query(sql + "\nUNION ALL\n" + other.sql);
    }

    /** The query as Spark SQL. */
    @Override
    public String toString() {
        return sql;
    }

    private static String list(String... expressions) {
        if (expressions.length == 0) {
            throw new IllegalArgumentException("a list of expressions has at least one");
        }
        return String.join(", ", List.of(expressions));
    }
}
