package dev.lakemill.delta;

import io.delta.kernel.defaults.engine.DefaultExpressionHandler;
import io.delta.kernel.defaults.engine.DefaultFileSystemClient;
import io.delta.kernel.defaults.engine.DefaultJsonHandler;
import io.delta.kernel.engine.Engine;
import io.delta.kernel.engine.ExpressionHandler;
import io.delta.kernel.engine.FileSystemClient;
import io.delta.kernel.engine.JsonHandler;
import io.delta.kernel.engine.MetricsReporter;
import io.delta.kernel.engine.ParquetHandler;
import java.util.List;
import org.apache.arrow.memory.BufferAllocator;

/** The kernel's default engine on our files and our Parquet, so that it needs no Hadoop. */
final class KernelEngine implements Engine {
    private final ExpressionHandler expressions = new DefaultExpressionHandler();
    private final JsonHandler json;
    private final FileSystemClient fileSystem;
    private final ParquetHandler parquet;

    KernelEngine(Disk disk, BufferAllocator allocator) {
        var files = new KernelFiles(disk);
        this.json = new DefaultJsonHandler(files);
        this.fileSystem = new DefaultFileSystemClient(files);
        this.parquet = new KernelParquet(files, allocator);
    }

    @Override
    public ExpressionHandler getExpressionHandler() {
        return expressions;
    }

    @Override
    public JsonHandler getJsonHandler() {
        return json;
    }

    @Override
    public FileSystemClient getFileSystemClient() {
        return fileSystem;
    }

    @Override
    public ParquetHandler getParquetHandler() {
        return parquet;
    }

    @Override
    public List<MetricsReporter> getMetricsReporters() {
        return List.of();
    }
}
