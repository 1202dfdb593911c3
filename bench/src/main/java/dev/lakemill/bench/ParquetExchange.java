package dev.lakemill.bench;

import dev.lakemill.pipeline.DuckPrinter;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.TableSchema;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.stream.Collectors;

/** Tables of our engine, handed to Spark as Parquet files. */
final class ParquetExchange {
    private final EngineQueries engine;
    private final SparkPeer spark;
    private final Path folder;
    private int files;

    ParquetExchange(EngineQueries engine, SparkPeer spark, Path folder) {
        this.engine = engine;
        this.spark = spark;
        this.folder = folder;
    }

    /** An empty table in our engine. */
    void create(String name, TableSchema schema) throws SQLException {
        engine.declare(name, schema);
        engine.execute(
                "CREATE OR REPLACE TABLE %s (%s)"
                        .formatted(
                                EngineQueries.duckName(name),
                                schema.columns().stream()
                                        .map(
                                                c ->
                                                        DuckPrinter.quoted(c.name())
                                                                + " "
                                                                + DuckPrinter.type(c.type()))
                                        .collect(Collectors.joining(", "))));
    }

    /** Shows Spark the table as it is now. */
    void hand(String name, TableSchema schema) throws SQLException, IOException {
        var file = folder.resolve(name + files++ + ".parquet");
        Files.deleteIfExists(file);
        engine.execute(
                "COPY (SELECT %s FROM %s) TO '%s' (FORMAT parquet)"
                        .formatted(
                                schema.columns().stream()
                                        .map(ParquetExchange::column)
                                        .collect(Collectors.joining(", ")),
                                EngineQueries.duckName(name),
                                file));
        spark.view(name, file);
    }

    /** In Parquet an instant and a wall clock are two types, in our engine's tables one. */
    private static String column(Column column) {
        var name = DuckPrinter.quoted(column.name());
        return column.type() == Primitive.TIMESTAMP
                ? "CAST(%1$s AS TIMESTAMP WITH TIME ZONE) AS %1$s".formatted(name)
                : name;
    }
}
