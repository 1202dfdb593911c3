package dev.lakemill.ingest;

import dev.lakemill.catalog.CatalogTable;
import dev.lakemill.types.Column;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/** Knows one token, which may write everything that was not taken away. */
final class TestAccess implements ProducerAccess {
    private final Set<TableName> refused = ConcurrentHashMap.newKeySet();
    private final List<Runnable> listeners = new CopyOnWriteArrayList<>();
    private final List<String> told = new CopyOnWriteArrayList<>();
    private final Evolution evolution;
    private volatile Instant expires = Instant.MAX;
    private volatile Runnable opening = () -> {};

    /** The catalog. */
    interface Evolution {
        CatalogTable evolve(TableName table, List<Column> columns);
    }

    TestAccess(Evolution evolution) {
        this.evolution = evolution;
    }

    void refuse(String table) {
        refused.add(TableName.parse(table));
        listeners.forEach(Runnable::run);
    }

    void expireAt(Instant instant) {
        expires = instant;
    }

    /** Runs while a stream is being opened, after its producer was found to be allowed. */
    void whileOpening(Runnable action) {
        opening = action;
    }

    /** What streams told of their beginning and end. */
    List<String> told() {
        return told;
    }

    @Override
    public Producer authenticate(
            String door, @Nullable String authorization, String address, UUID stream) {
        if (!"Bearer token".equals(authorization)) {
            throw new LakemillException(
                    ErrorCode.UNAUTHENTICATED,
                    "%s sends no token that is known".formatted(address),
                    "log in");
        }
        return new TestProducer();
    }

    @Override
    public AutoCloseable onChange(Runnable listener) {
        listeners.add(listener);
        return () -> listeners.remove(listener);
    }

    private final class TestProducer implements Producer {
        @Override
        public String name() {
            return "tester";
        }

        @Override
        public Instant expires() {
            return expires;
        }

        @Override
        public void require(TableName table) {
            if (refused.contains(table)) {
                throw new LakemillException(
                        ErrorCode.PERMISSION_DENIED, "you lack MODIFY on " + table, "ask");
            }
        }

        @Override
        public CatalogTable evolve(TableName table, List<Column> columns) {
            told.add("evolved " + table);
            return evolution.evolve(table, columns);
        }

        @Override
        public void opened(TableName table) {
            opening.run();
            told.add("opened " + table);
        }

        @Override
        public void closed(TableName table, long rows) {
            told.add("closed " + table + " after " + rows);
        }
    }
}
