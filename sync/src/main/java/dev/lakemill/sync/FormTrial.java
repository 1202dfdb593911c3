package dev.lakemill.sync;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Has Postgres make a table of a synced table's form, and takes it back: how an expression that
 * Postgres refuses is found before anything changes.
 *
 * <p>Expressions of extra columns and indexes are evaluated with the rights of the sync, whoever
 * wrote them. So they may name nothing but what Postgres and its extensions bring, and in defaults,
 * which need not be immutable, only functions that read nothing but the clock and chance.
 */
public final class FormTrial {
    private static final String TABLE = "lakemill_trial";

    /** What a default may call, besides what is immutable. */
    private static final List<String> DEFAULTS =
            List.of(
                    "now",
                    "transaction_timestamp",
                    "statement_timestamp",
                    "clock_timestamp",
                    "gen_random_uuid",
                    "uuidv4",
                    "uuidv7",
                    "random",
                    "timezone",
                    "date_trunc",
                    "date_part",
                    "extract",
                    "to_char",
                    "date",
                    "time",
                    "timetz",
                    "timestamp",
                    "timestamptz",
                    "timestamptz_pl_interval",
                    "timestamptz_mi_interval");

    private final Connection connection;
    private final SyncedTableSpec spec;
    private final TargetSql sql;

    private FormTrial(Connection connection, SyncedTableSpec spec) {
        this.connection = connection;
        this.spec = spec;
        this.sql = new TargetSql(spec, 0);
        sql.lieIn("pg_temp");
    }

    /**
     * Returns when Postgres can have such a table; at once for one of the usual form.
     *
     * @param owner connections as the owner, unpooled: a pool takes some refusals for its own
     * @throws LakemillException INVALID_ARGUMENT with what Postgres says; UNAVAILABLE when Postgres
     *     is away
     */
    public static void run(SyncedTableSpec spec, DataSource owner) {
        if (!spec.form().isToBeTried()) {
            return;
        }
        try (var connection = owner.getConnection()) {
            connection.setAutoCommit(false);
            try {
                new FormTrial(connection, spec).run();
            } finally {
                connection.rollback();
            }
        } catch (SQLException e) {
            throw new LakemillException(
                    ErrorCode.UNAVAILABLE,
                    "Postgres cannot be asked about %s: %s".formatted(spec.name(), e.getMessage()),
                    "try again",
                    e);
        }
    }

    private void run() throws SQLException {
        execute(Session.SEARCH_PATH);
        for (var type : spec.form().types().values()) {
            if (type.isVector() && !isType(type.kind().sql())) {
                throw wrong(
                        "its type %s needs pgvector, which this Postgres does not have"
                                .formatted(type.kind()),
                        "CREATE EXTENSION vector, where the server has it, or leave the override"
                                + " out: arrays are jsonb");
            }
        }
        for (var column : spec.form().extraColumns()) {
            if (!isType(column.type())) {
                throw wrong(
                        "column %s is to have the type %s, which Postgres does not have"
                                .formatted(column.name(), column.type()),
                        "write a type of Postgres, as tsvector or numeric(10,2)");
            }
        }
        attempt("its columns", sql.createTemporary(TABLE));
        for (var index : spec.form().extraIndexes()) {
            attempt(
                    "index " + index.name(),
                    "CREATE INDEX %s ON pg_temp.%s %s"
                            .formatted(TargetSql.quoted(index.name()), TABLE, index.definition()));
        }
        requireNothingForeign();
        requireHarmlessDefaults();
    }

    private boolean isType(String type) throws SQLException {
        var before = connection.setSavepoint();
        try (var query = connection.prepareStatement("SELECT to_regtype(?) IS NOT NULL")) {
            query.setString(1, type);
            try (var rows = query.executeQuery()) {
                rows.next();
                return rows.getBoolean(1);
            }
        } catch (SQLException e) {
            if (isAway(e.getSQLState())) {
                throw e;
            }
            connection.rollback(before);
            return false;
        }
    }

    private void attempt(String what, String command) throws SQLException {
        try {
            execute(command);
        } catch (SQLException e) {
            if (isAway(e.getSQLState())) {
                throw e;
            }
            throw wrong(
                    "Postgres refuses %s: %s".formatted(what, e.getMessage()),
                    "try it in psql with a table of the same columns");
        }
    }

    private static boolean isAway(@Nullable String state) {
        return state == null || state.matches("(08|53|55|57|58|XX).*");
    }

    private void requireNothingForeign() throws SQLException {
        var foreign =
                texts(
                        """
                        WITH t AS (SELECT 'pg_temp.%s'::regclass::oid AS id),
                        parts AS (
                            SELECT 'pg_class'::regclass::oid AS kind, t.id FROM t
                            UNION ALL SELECT 'pg_attrdef'::regclass, d.oid
                                FROM pg_attrdef d JOIN t ON d.adrelid = t.id
                            UNION ALL SELECT 'pg_class'::regclass, i.indexrelid
                                FROM pg_index i JOIN t ON i.indrelid = t.id)
                        SELECT DISTINCT pg_describe_object(d.refclassid, d.refobjid, 0)
                        FROM pg_depend d JOIN parts p ON d.classid = p.kind AND d.objid = p.id
                        WHERE d.refobjid >= 16384 AND d.refobjid NOT IN (SELECT id FROM parts)
                            AND d.refclassid <> 'pg_namespace'::regclass
                            AND NOT EXISTS (SELECT FROM pg_depend e
                                WHERE e.classid = d.refclassid AND e.objid = d.refobjid
                                    AND e.deptype = 'e')
                        """
                                .formatted(TABLE));
        if (!foreign.isEmpty()) {
            throw wrong(
                    "its extra columns or indexes need " + String.join(", ", foreign),
                    "use only what Postgres and its extensions bring: they are evaluated with the"
                            + " rights of the sync");
        }
    }

    private void requireHarmlessDefaults() throws SQLException {
        var allowed = "'" + String.join("', '", DEFAULTS) + "'";
        var forbidden =
                texts(
                        """
                        SELECT DISTINCT p.proname FROM pg_attrdef d
                        CROSS JOIN regexp_matches(
                            d.adbin::text, ':(?:funcid|opfuncid) (\\d+)', 'g') AS m
                        JOIN pg_proc p ON p.oid = m[1]::oid
                        WHERE d.adrelid = 'pg_temp.%s'::regclass AND p.provolatile <> 'i'
                            AND p.proname NOT IN (%s)
                        """
                                .formatted(TABLE, allowed));
        if (!forbidden.isEmpty()) {
            throw wrong(
                    "a default calls " + String.join(", ", forbidden),
                    "call what is immutable, or now(), clock_timestamp(), gen_random_uuid() or"
                            + " random()");
        }
    }

    private List<String> texts(String sql) throws SQLException {
        try (var statement = connection.createStatement();
                var rows = statement.executeQuery(sql)) {
            var texts = new ArrayList<String>();
            while (rows.next()) {
                texts.add(rows.getString(1));
            }
            return texts;
        }
    }

    private void execute(String command) throws SQLException {
        try (var statement = connection.createStatement()) {
            statement.execute(command);
        }
    }

    private LakemillException wrong(String problem, String hint) {
        return new LakemillException(
                ErrorCode.INVALID_ARGUMENT,
                "synced table %s: %s".formatted(spec.name(), problem),
                hint);
    }
}
