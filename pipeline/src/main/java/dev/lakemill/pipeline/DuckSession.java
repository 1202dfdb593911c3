package dev.lakemill.pipeline;

import dev.lakemill.types.ArrowTypes;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableSchema;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Properties;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.arrow.c.ArrowArrayStream;
import org.apache.arrow.c.Data;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.ipc.ArrowReader;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.util.VectorSchemaRootAppender;
import org.duckdb.DuckDBConnection;
import org.duckdb.DuckDBResultSet;
import org.jspecify.annotations.Nullable;

/**
 * One connection to a DuckDB in memory. One thread uses it.
 *
 * <p>Rows go in and out as Arrow C data streams. A stream can be scanned once, so it is registered
 * anew each time. What comes out is checked against the expected Arrow layout before its buffers
 * are taken over, since a type that differs would be read as other values without an error.
 */
final class DuckSession implements AutoCloseable {
    /**
     * SQL of the running batch's now(): a parameter, so that the same text serves every batch and
     * the engine still sees a constant.
     */
    static final String NOW = "make_timestamp(CAST($1 AS BIGINT))";

    /** As {@link #NOW}, of the batch before; SQL that says this says {@link #NOW}, too. */
    static final String NOW_BEFORE = "make_timestamp(CAST($2 AS BIGINT))";

    /** The table that {@link #load}'s SQL reads. */
    static final String INCOMING = "\"incoming rows\"";

    static final int READ_ROWS = 65_536;

    /** More than the steps of a usual pipeline need; beyond it, the longest unused goes. */
    private static final int READY_STATEMENTS_MAX = 1_000;

    private final DuckDBConnection connection;
    private final BufferAllocator allocator;

    /** Parsed statements by their text, the longest unused first. */
    private final LinkedHashMap<String, Ready> ready = new LinkedHashMap<>(16, 0.75f, true);

    private long nowMicros;
    private long nowBeforeMicros;

    private record Ready(PreparedStatement statement, int parameters) {}

    private DuckSession(DuckDBConnection connection, BufferAllocator allocator) {
        this.connection = connection;
        this.allocator = allocator;
    }

    /**
     * Opens a new, empty database.
     *
     * @param temporaryFolder for what does not fit in memory; files that an earlier process left
     *     there are deleted
     */
    static DuckSession open(
            PipelineConfig.Duck config, Path temporaryFolder, BufferAllocator allocator) {
        clear(temporaryFolder);
        var properties = new Properties();
        properties.put("memory_limit", config.memoryBytesMax() + "B");
        properties.put("max_temp_directory_size", config.temporaryBytesMax() + "B");
        properties.put("temp_directory", temporaryFolder.toString());
        properties.put("threads", Integer.toString(config.threads()));
        properties.put("preserve_insertion_order", "true");
        properties.put("autoinstall_known_extensions", "false");
        properties.put("autoload_known_extensions", "false");
        try {
            var connection =
                    (DuckDBConnection) DriverManager.getConnection("jdbc:duckdb:", properties);
            UnpackedLibraries.delete("libduckdb_java");
            JavaFunctions.install(connection);
            var session = new DuckSession(connection, allocator);
            session.execute("SET TimeZone = 'UTC'");
            return session;
        } catch (SQLException e) {
            throw new DuckException(e);
        }
    }

    DuckDBConnection connection() {
        return connection;
    }

    BufferAllocator allocator() {
        return allocator;
    }

    /** With this {@link #NOW} and {@link #NOW_BEFORE}, until a commit or rollback. */
    void begin(Instant now, Instant before) {
        nowMicros = Engine.micros(now);
        nowBeforeMicros = Engine.micros(before);
        try {
            connection.setAutoCommit(false);
        } catch (SQLException e) {
            throw new DuckException(e);
        }
    }

    /** What {@link #NOW} is. */
    long nowMicros() {
        return nowMicros;
    }

    /** Runs SQL with another {@link #NOW_BEFORE} than the batch's. */
    <T> T since(long beforeMicros, Supplier<T> work) {
        var usual = nowBeforeMicros;
        nowBeforeMicros = beforeMicros;
        try {
            return work.get();
        } finally {
            nowBeforeMicros = usual;
        }
    }

    void commit() {
        try {
            connection.commit();
            connection.setAutoCommit(true);
        } catch (SQLException e) {
            throw new DuckException(e);
        }
    }

    void rollback() {
        try {
            connection.rollback();
            connection.setAutoCommit(true);
        } catch (SQLException e) {
            throw new DuckException(e);
        }
    }

    /** Runs SQL that comes once; the number of rows that it changed. */
    long execute(String sql) {
        try (var statement = connection.createStatement()) {
            statement.execute(sql);
            return statement.getUpdateCount();
        } catch (SQLException e) {
            throw new DuckException(e);
        }
    }

    /** Runs SQL that comes in every batch, with the same text: it is parsed once. */
    void repeat(String sql) {
        try {
            ready(sql).execute();
        } catch (SQLException e) {
            throw new DuckException(e);
        }
    }

    /** As {@link #repeat}, of SQL that makes a table or changes one; the number of its rows. */
    long written(String sql) {
        try {
            return ready(sql).executeUpdate();
        } catch (SQLException e) {
            throw new DuckException(e);
        }
    }

    private PreparedStatement ready(String sql) throws SQLException {
        var found = ready.get(sql);
        // A statement that has failed is closed.
        if (found == null || found.statement().isClosed()) {
            var statement = connection.prepareStatement(sql);
            found = new Ready(statement, statement.getParameterMetaData().getParameterCount());
            ready.put(sql, found);
            forgetUnused();
        }
        if (found.parameters() > 0) {
            found.statement().setLong(1, nowMicros);
        }
        if (found.parameters() > 1) {
            found.statement().setLong(2, nowBeforeMicros);
        }
        return found.statement();
    }

    private void forgetUnused() throws SQLException {
        if (ready.size() > READY_STATEMENTS_MAX) {
            var oldest = ready.pollFirstEntry();
            if (oldest != null) {
                oldest.getValue().statement().close();
            }
        }
    }

    /** The whole number that SQL gives that comes in every batch with the same text. */
    long count(String sql) {
        try (var result = ready(sql).executeQuery()) {
            result.next();
            return result.getLong(1);
        } catch (SQLException e) {
            throw new DuckException(e);
        }
    }

    /** The first row of the result, all of whose columns are whole numbers. */
    long[] numbers(String sql) {
        try (var statement = connection.createStatement();
                var result = statement.executeQuery(sql)) {
            result.next();
            var numbers = new long[result.getMetaData().getColumnCount()];
            for (int i = 0; i < numbers.length; i++) {
                numbers[i] = result.getLong(i + 1);
            }
            return numbers;
        } catch (SQLException e) {
            throw new DuckException(e);
        }
    }

    /** The first column of the first row; null when there is no row. */
    @Nullable String text(String sql) {
        try (var statement = connection.createStatement();
                var result = statement.executeQuery(sql)) {
            return result.next() ? result.getString(1) : null;
        } catch (SQLException e) {
            throw new DuckException(e);
        }
    }

    /** The columns of the result of SQL that comes once, as Arrow has them. */
    List<Field> columns(String sql) {
        try (var statement = connection.prepareStatement(sql);
                var result = (DuckDBResultSet) statement.executeQuery();
                var reader = (ArrowReader) result.arrowExportStream(allocator, 1)) {
            return reader.getVectorSchemaRoot().getSchema().getFields();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (SQLException e) {
            throw new DuckException(e);
        }
    }

    /**
     * Runs SQL that reads {@link #INCOMING} once.
     *
     * @param next gives one batch of the schema after the other, then null; each is closed here
     */
    void load(TableSchema schema, Supplier<@Nullable Rows> next, String sql) {
        Supplier<String> work =
                () -> {
                    execute(sql);
                    return sql;
                };
        offering(schema, next, work);
    }

    /** As {@link #load(TableSchema, Supplier, String)}, of a list, which stays the caller's. */
    void load(TableSchema schema, List<Rows> batches, String sql) {
        load(schema, each(batches), sql);
    }

    private static Supplier<@Nullable Rows> each(List<Rows> batches) {
        var iterator = batches.iterator();
        return () -> iterator.hasNext() ? iterator.next().retain() : null;
    }

    private <T> T offering(TableSchema schema, Supplier<@Nullable Rows> next, Supplier<T> work) {
        try (var reader = new RowsStream(allocator, schema, next);
                var stream = ArrowArrayStream.allocateNew(allocator)) {
            Data.exportArrayStream(allocator, reader, stream);
            connection.registerArrowStream(unquoted(INCOMING), stream);
            return work.get();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Reads the result of SQL that reads {@link #INCOMING} once, which is these rows. */
    <T> T answer(Rows given, String sql, TableSchema schema, Function<Batches, T> reader) {
        Supplier<T> work =
                () -> {
                    try (var result = read(sql, schema)) {
                        return reader.apply(result);
                    }
                };
        return offering(given.schema(), each(List.of(given)), work);
    }

    /**
     * The result, as one batch, of SQL that comes in every batch with the same text.
     *
     * @param expected rows, for which the engine takes memory at once
     */
    Rows rows(String sql, TableSchema schema, long expected) {
        try (var result = new DuckResult(ready(sql), schema, Math.max(1, expected), allocator)) {
            var first = result.next();
            if (first == null) {
                return Rows.empty(schema, allocator);
            }
            if (first.count() == expected) {
                return joined(first, result);
            }
            // Rows may be kept for long; the memory that they do not fill would be, too.
            try (first) {
                return joined(copy(first), result);
            }
        } catch (SQLException e) {
            throw new DuckException(e);
        }
    }

    /** The result in batches; the caller closes those it takes, and the result. */
    Batches read(String sql, TableSchema schema) {
        try {
            return read(connection, sql, schema);
        } catch (SQLException e) {
            throw new DuckException(e);
        }
    }

    private Batches read(DuckDBConnection from, String sql, TableSchema schema)
            throws SQLException {
        var statement = from.prepareStatement(sql);
        statement.closeOnCompletion();
        return new Batches(new DuckResult(statement, schema, READ_ROWS, allocator));
    }

    /** Ends what the session's thread runs now, with an error; called by another thread. */
    void interrupt() {
        try (var statement = connection.createStatement()) {
            statement.cancel();
        } catch (SQLException e) {
            throw new DuckException(e);
        }
    }

    private Rows copy(Rows rows) {
        var root = VectorSchemaRoot.create(ArrowTypes.schema(rows.schema()), allocator);
        for (var vector : root.getFieldVectors()) {
            vector.setInitialCapacity(rows.count());
            vector.allocateNew();
        }
        var copy = new Rows(rows.schema(), root);
        append(copy, rows);
        return copy;
    }

    /** The first batch with all that follow; it is closed when they do not come. */
    private static Rows joined(Rows first, DuckResult result) {
        try {
            for (var more = result.next(); more != null; more = result.next()) {
                try (var part = more) {
                    append(first, part);
                }
            }
            return first;
        } catch (RuntimeException | Error e) {
            first.close();
            throw e;
        }
    }

    private static void append(Rows to, Rows more) {
        VectorSchemaRootAppender.append(false, to.root(), more.root());
    }

    /**
     * A second connection that sees the database as it is now, whatever this one does later, to be
     * read by one other thread. The caller closes it soon: what it can see is kept in memory.
     *
     * @param table any table
     */
    Snapshot snapshot(String table) {
        try {
            var second = connection.duplicate();
            second.setAutoCommit(false);
            try (var statement = second.createStatement()) {
                // A transaction sees what is committed when it first touches the database.
                statement.execute("SELECT 1 FROM " + table + " LIMIT 0");
            }
            return new Snapshot(second);
        } catch (SQLException e) {
            throw new DuckException(e);
        }
    }

    @Override
    public void close() {
        try {
            for (var statement : ready.values()) {
                statement.statement().close();
            }
            ready.clear();
            connection.close();
        } catch (SQLException e) {
            throw new DuckException(e);
        }
    }

    private static void clear(Path folder) {
        try (var files = Files.newDirectoryStream(folder, file -> !Files.isDirectory(file))) {
            for (var file : files) {
                Files.deleteIfExists(file);
            }
        } catch (NoSuchFileException _) {
            // DuckDB makes the folder when it needs it.
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String unquoted(String name) {
        return name.substring(1, name.length() - 1);
    }

    /** The database as it was at one moment. One thread uses it. */
    final class Snapshot implements AutoCloseable {
        private final DuckDBConnection second;
        private final List<Batches> open = new ArrayList<>();

        private Snapshot(DuckDBConnection second) {
            this.second = second;
        }

        /** The result in batches; the caller closes those it takes. */
        Iterator<Rows> read(String sql, TableSchema schema) {
            try {
                var batches = DuckSession.this.read(second, sql, schema);
                open.add(batches);
                return batches;
            } catch (SQLException e) {
                throw new DuckException(e);
            }
        }

        @Override
        public void close() {
            open.forEach(Batches::close);
            try {
                second.rollback();
                second.close();
            } catch (SQLException e) {
                throw new DuckException(e);
            }
        }
    }

    /** A result as an iterator, which must know one batch ahead. */
    static final class Batches implements Iterator<Rows>, AutoCloseable {
        private final DuckResult result;
        private @Nullable Rows ahead;

        private Batches(DuckResult result) {
            this.result = result;
            this.ahead = result.next();
        }

        @Override
        public boolean hasNext() {
            return ahead != null;
        }

        @Override
        public Rows next() {
            var rows = ahead;
            if (rows == null) {
                throw new NoSuchElementException("all batches were read");
            }
            ahead = result.next();
            return rows;
        }

        @Override
        public void close() {
            if (ahead != null) {
                ahead.close();
                ahead = null;
            }
            result.close();
        }
    }
}
