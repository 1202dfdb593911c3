package dev.lakemill.agents.gateway;

import dev.lakemill.catalog.Transactions;
import dev.lakemill.types.LakemillException;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** Answers that pipelines were given, in Postgres. Safe to use from any thread. */
public final class AnswerStore {
    private static final int ROWS_FETCHED = 1_000;

    private final DataSource database;

    /**
     * @param database in which a {@link Gateway} was opened
     */
    public AnswerStore(DataSource database) {
        this.database = database;
    }

    /**
     * An answer, or why there is none.
     *
     * @param version of the endpoint
     */
    public record Row(
            String key,
            Instant since,
            String endpoint,
            String version,
            @Nullable String answer,
            @Nullable String error) {}

    /**
     * All of a pipeline.
     *
     * @throws LakemillException UNAVAILABLE without Postgres, as all here
     */
    public List<Row> load(String pipeline) {
        var sql =
                """
                SELECT key, since, endpoint, version, answer, error FROM lakemill.model_answers
                WHERE pipeline = ?
                """;
        return Transactions.run(
                database,
                connection -> {
                    try (var query = connection.prepareStatement(sql)) {
                        query.setFetchSize(ROWS_FETCHED);
                        query.setString(1, pipeline);
                        var found = new ArrayList<Row>();
                        try (var rows = query.executeQuery()) {
                            while (rows.next()) {
                                found.add(
                                        new Row(
                                                rows.getString(1),
                                                rows.getTimestamp(2).toInstant(),
                                                rows.getString(3),
                                                rows.getString(4),
                                                rows.getString(5),
                                                rows.getString(6)));
                            }
                        }
                        return found;
                    }
                });
    }

    /** Adds all or none; of each key the two newest stay. */
    public void keep(String pipeline, List<Row> answers) {
        var insert =
                """
                INSERT INTO lakemill.model_answers
                    (pipeline, key, since, endpoint, version, answer, error)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """;
        var older =
                """
                DELETE FROM lakemill.model_answers WHERE pipeline = ? AND key = ? AND since < (
                    SELECT since FROM lakemill.model_answers WHERE pipeline = ? AND key = ?
                    ORDER BY since DESC OFFSET 1 LIMIT 1)
                """;
        Transactions.run(
                database,
                connection -> {
                    try (var adding = connection.prepareStatement(insert);
                            var deleting = connection.prepareStatement(older)) {
                        for (var row : answers) {
                            adding.setString(1, pipeline);
                            adding.setString(2, row.key());
                            adding.setTimestamp(3, Timestamp.from(row.since()));
                            adding.setString(4, row.endpoint());
                            adding.setString(5, row.version());
                            adding.setString(6, clean(row.answer()));
                            adding.setString(7, clean(row.error()));
                            adding.addBatch();
                            for (var at : List.of(1, 3)) {
                                deleting.setString(at, pipeline);
                                deleting.setString(at + 1, row.key());
                            }
                            deleting.addBatch();
                        }
                        adding.executeBatch();
                        deleting.executeBatch();
                        return answers;
                    }
                });
    }

    /** Postgres's texts hold no zero byte. */
    private static @Nullable String clean(@Nullable String text) {
        return text == null ? null : text.replace("\0", "");
    }

    public void forget(String pipeline, List<String> keys) {
        var sql = "DELETE FROM lakemill.model_answers WHERE pipeline = ? AND key = ANY (?)";
        Transactions.run(
                database,
                connection -> {
                    try (var delete = connection.prepareStatement(sql)) {
                        delete.setString(1, pipeline);
                        delete.setArray(2, connection.createArrayOf("text", keys.toArray()));
                        return delete.executeUpdate();
                    }
                });
    }

    /**
     * Removes the answers of all other pipelines.
     *
     * @return whose there were
     */
    public List<String> retain(Collection<String> pipelines) {
        var sql =
                """
                WITH gone AS (DELETE FROM lakemill.model_answers
                    WHERE pipeline <> ALL (?) RETURNING pipeline)
                SELECT DISTINCT pipeline FROM gone ORDER BY 1
                """;
        return Transactions.run(
                database,
                connection -> {
                    try (var delete = connection.prepareStatement(sql)) {
                        delete.setArray(1, connection.createArrayOf("text", pipelines.toArray()));
                        var removed = new ArrayList<String>();
                        try (var rows = delete.executeQuery()) {
                            while (rows.next()) {
                                removed.add(rows.getString(1));
                            }
                        }
                        return removed;
                    }
                });
    }
}
