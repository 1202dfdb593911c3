package dev.lakemill.sync;

import static dev.lakemill.sync.TestPostgres.ask;
import static dev.lakemill.sync.TestPostgres.await;
import static dev.lakemill.sync.TestPostgres.execute;
import static dev.lakemill.sync.TestPostgres.postgres;
import static dev.lakemill.sync.TestPostgres.query;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(300)
final class SyncTest {
    private static final TableName STOCK = TableName.parse("farm.gold.stock");
    private static final TableName QUOTES = TableName.parse("farm.gold.quotes");
    private static final TableSchema STOCK_SCHEMA =
            TableSchema.of(
                    new Column("sku", Primitive.STRING, true, "what is grown"),
                    Column.nullable("grams", Primitive.LONG),
                    Column.nullable("note", Primitive.STRING));
    private static final TableSchema QUOTES_SCHEMA =
            TableSchema.of(
                    Column.nullable("supplier", Primitive.INTEGER),
                    Column.nullable("price", new DataType.Decimal(12, 4)),
                    Column.nullable("sku", Primitive.STRING));

    @TempDir Path folder;

    private String schema = "";

    @SuppressWarnings("NullAway.Init")
    private TestPipeline pipeline;

    @BeforeEach
    void makePipeline() {
        schema = TestPostgres.uniqueName("gold");
        pipeline = pipeline(64 << 20);
    }

    private TestPipeline pipeline(long bufferedBytesMax) {
        return new TestPipeline(
                "pipeline-" + schema,
                folder.resolve(TestPostgres.uniqueName("tables")),
                Map.of(STOCK, STOCK_SCHEMA, QUOTES, QUOTES_SCHEMA),
                bufferedBytesMax);
    }

    @AfterEach
    void closePipeline() {
        pipeline.close();
    }

    @Test
    void tablesStartFromTheRoundAndFollowTheBatches() throws Exception {
        pipeline.insert(STOCK, "basil", 10L, "fresh").insert(STOCK, "mint", 20L, null);
        pipeline.publish();
        pipeline.commit();
        try (var sync = start()) {
            awaitBatch(sync, 1);
            assertThat(stock()).containsExactly("basil 10 fresh", "mint 20 null");
            pipeline.delete(STOCK, row("basil", 10L, "fresh")).insert(STOCK, "basil", 7L, "dry");
            pipeline.delete(STOCK, row("mint", 20L, null));
            pipeline.insert(QUOTES, 1, new BigDecimal("3.1400"), "basil");
            pipeline.publish();
            awaitBatch(sync, 2);
            assertThat(stock()).containsExactly("basil 7 dry");
            assertThat(ask("SELECT price FROM %s.quotes".formatted(schema))).isEqualTo("3.1400");
            assertThat(sync.status().getFirst().rows()).isEqualTo(1);
            assertThat(sync.status().getFirst().batch()).isEqualTo(2);
            assertThat(sync.status().getFirst().batchesBehind()).isZero();
        }
    }

    @Test
    void aLoadTellsHowFarItIsUntilItIsCommitted() throws Exception {
        pipeline.insert(STOCK, "basil", 10L, "fresh").insert(STOCK, "mint", 20L, null);
        pipeline.publish();
        pipeline.commit();
        Registry.MIGRATIONS.apply(TestPostgres.postgres().owner());
        try (var holder = TestPostgres.postgres().owner().getConnection();
                var lock = holder.createStatement()) {
            holder.setAutoCommit(false);
            // The load's transaction waits for it behind the last of its own work.
            lock.execute("LOCK TABLE lakemill.sync_skipped IN EXCLUSIVE MODE");
            try (var sync = start()) {
                TestPostgres.await("all rows are read", () -> rowsLoaded(sync) == 2);
                var status = sync.status().getFirst();
                assertThat(status.appliedAt()).isNull();
                var progress = Objects.requireNonNull(status.progress());
                assertThat(progress.rowsTotal()).isEqualTo(2);
                assertThat(progress.completion()).isBetween(0.1, 1.0);
                assertThat(progress.secondsLeft()).isNotNegative();
                assertThat(sync.status().getLast().progress()).isNull();
                holder.rollback();
                awaitBatch(sync, 1);
                assertThat(sync.status()).allMatch(table -> table.progress() == null);
                assertThat(stock()).hasSize(2);
            }
        }
    }

    private static long rowsLoaded(Sync sync) {
        var progress = sync.status().getFirst().progress();
        return progress == null ? -1 : progress.rows();
    }

    @Test
    void aTableBehindAViewWithMasksIsWrittenWhereItLies() throws Exception {
        pipeline.insert(STOCK, "basil", 10L, "fresh").insert(STOCK, "mint", 20L, null);
        pipeline.publish();
        pipeline.commit();
        try (var sync = start()) {
            awaitBatch(sync, 1);
            execute(
                    "BEGIN",
                    "LOCK TABLE \"lakemill locks\".layout IN EXCLUSIVE MODE",
                    "CREATE SCHEMA \"lakemill:%s\"".formatted(schema),
                    "ALTER TABLE %1$s.stock SET SCHEMA \"lakemill:%1$s\"".formatted(schema),
                    ("CREATE VIEW %1$s.stock AS SELECT sku, grams, '***'::text AS note"
                                    + " FROM \"lakemill:%1$s\".stock WHERE sku <> 'mint'")
                            .formatted(schema),
                    "COMMIT");
            pipeline.delete(STOCK, row("mint", 20L, null)).insert(STOCK, "dill", 3L, "new");
            pipeline.publish();
            awaitBatch(sync, 2);
            assertThat(stock()).containsExactly("basil 10 ***", "dill 3 ***");
            assertThat(query("SELECT note FROM \"lakemill:%s\".stock".formatted(schema)))
                    .containsExactlyInAnyOrder(List.of("fresh"), List.of("new"));
        }
        pipeline.commit();
        try (var sync = start()) {
            awaitBatch(sync, 2);
            assertThat(stock()).hasSize(2);
        }
    }

    @Test
    void stateTellsBatchPositionsAndTimes() throws Exception {
        pipeline.insert(STOCK, "basil", 10L, null);
        pipeline.publish();
        pipeline.commit();
        var applied = new CopyOnWriteArrayList<Applied>();
        try (var sync = start()) {
            sync.onApplied(applied::add);
            sync.onApplied(
                    _ -> {
                        throw new IllegalStateException("a listener that fails is none of ours");
                    });
            awaitBatch(sync, 1);
            pipeline.publish();
            awaitBatch(sync, 2);
        }
        var state =
                query(
                        "SELECT batch, sources, extract(epoch FROM now)::bigint,"
                                + " extract(epoch FROM received_at) * 1000000 = 2000,"
                                + " now() - applied_at < '1 hour'"
                                + " FROM lakemill.sync_state WHERE pipeline = '%s'"
                                        .formatted(pipeline.name()));
        assertThat(state)
                .containsExactly(
                        List.of("2", "{\"farm.bronze.source\": 20}", "1800000002", "t", "t"));
        assertThat(applied.getLast().batch()).isEqualTo(2);
        assertThat(applied.getLast().receivedMicros()).isEqualTo(2_000);
    }

    @Test
    void tablesHaveTypesKeyIndexesCommentsAndRoomForHotUpdates() throws Exception {
        pipeline.commit();
        var indexes = List.of(List.of("sku"), List.of("price", "sku"));
        try (var sync = start(stockSpec(), quotes(List.of("sku", "supplier"), indexes))) {
            awaitBatch(sync, 0);
            var name = "'%s.quotes'::regclass".formatted(schema);
            assertThat(
                            query(
                                    "SELECT pg_get_indexdef(indexrelid) FROM pg_index"
                                            + " WHERE indrelid = "
                                            + name))
                    .hasSize(3)
                    .anySatisfy(d -> assertThat(d.toString()).contains("UNIQUE", "(sku, supplier)"))
                    .anySatisfy(d -> assertThat(d.toString()).contains("(price, sku)"));
            assertThat(ask("SELECT reloptions FROM pg_class WHERE oid = " + name))
                    .startsWith("{fillfactor=80,autovacuum_");
            assertThat(ask("SELECT obj_description(%s)".formatted(name)))
                    .isEqualTo("Synced by Lakemill from farm.gold.quotes; read-only");
            assertThat(ask("SELECT col_description('%s.stock'::regclass, 1)".formatted(schema)))
                    .isEqualTo("what is grown");
            assertThat(
                            query(
                                    "SELECT column_name, is_nullable"
                                            + " FROM information_schema.columns"
                                            + " WHERE table_schema = '%s' AND table_name = 'quotes'"
                                                    .formatted(schema)))
                    .containsExactlyInAnyOrder(
                            List.of("sku", "NO"),
                            List.of("supplier", "NO"),
                            List.of("price", "YES"));
        }
    }

    @Test
    void theReaderReadsAndNobodyElseDoesAnything() throws Exception {
        pipeline.insert(STOCK, "basil", 10L, null);
        pipeline.publish();
        pipeline.commit();
        execute("DROP ROLE IF EXISTS stranger", "CREATE ROLE stranger");
        try (var sync = start();
                var reader = DriverManager.getConnection(postgres().readerJdbcUrl());
                var statement = reader.createStatement()) {
            awaitBatch(sync, 1);
            assertThat(query(reader, "SELECT sku FROM %s.stock".formatted(schema))).hasSize(1);
            assertThat(query(reader, "SELECT batch FROM lakemill.sync_state")).isNotEmpty();
            statement.execute("SET default_transaction_read_only = off");
            for (var write :
                    List.of(
                            "INSERT INTO %s.stock VALUES ('x', 1, NULL)",
                            "UPDATE %s.stock SET grams = 0",
                            "DELETE FROM %s.stock",
                            "TRUNCATE %s.stock",
                            "DROP TABLE %s.stock",
                            "CREATE TABLE %s.mine (x int)")) {
                assertThatThrownBy(() -> statement.execute(write.formatted(schema)))
                        .hasMessageMatching("(?s).*(permission denied|must be owner).*");
            }
            assertThat(
                            ask(
                                    "SELECT has_table_privilege('stranger', '%s.stock', 'SELECT')"
                                            .formatted(schema)))
                    .isEqualTo("f");
        }
    }

    @Test
    void aReadersSnapshotStaysConsistentOverAllTablesWhileBatchesGoOn() throws Exception {
        pipeline.insert(STOCK, "n", 0L, null).insert(QUOTES, 1, new BigDecimal("0.0000"), "n");
        pipeline.publish();
        pipeline.commit();
        var both =
                ("SELECT (SELECT grams FROM %1$s.stock),"
                                        + " (SELECT price::bigint FROM %1$s.quotes), batch")
                                .formatted(schema)
                        + " FROM lakemill.sync_state WHERE pipeline = '%s'"
                                .formatted(pipeline.name());
        try (var sync = start();
                var reader = DriverManager.getConnection(postgres().readerJdbcUrl())) {
            awaitBatch(sync, 1);
            reader.setAutoCommit(false);
            reader.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
            for (var n = 1L; n <= 60; n++) {
                pipeline.delete(STOCK, row("n", n - 1, null)).insert(STOCK, "n", n, null);
                pipeline.delete(QUOTES, row(1, new BigDecimal(n - 1).setScale(4), "n"));
                pipeline.insert(QUOTES, 1, new BigDecimal(n).setScale(4), "n");
                pipeline.publish();
                var seen = query(reader, both).getFirst();
                assertThat(seen.get(0)).isEqualTo(seen.get(1));
                assertThat(Long.parseLong(String.valueOf(seen.get(2))))
                        .isEqualTo(Long.parseLong(String.valueOf(seen.get(0))) + 1);
                if (n % 20 == 0) {
                    awaitBatch(sync, n + 1);
                    assertThat(query(reader, both).getFirst()).isEqualTo(seen);
                }
                reader.commit();
            }
        }
    }

    @Test
    void aFullCompareWritesOnlyDifferencesAndBlocksNoReader() throws Exception {
        for (var i = 0; i < 500; i++) {
            pipeline.insert(STOCK, "sku" + i, (long) i, "same");
        }
        pipeline.publish();
        pipeline.commit();
        start(stockSpec()).close();
        try (var sync = start(stockSpec())) {
            awaitBatch(sync, 1);
            await("compared", () -> sync.status().getFirst().rows() == 500);
        }
        execute(
                "UPDATE %s.stock SET grams = -1 WHERE sku = 'sku1'".formatted(schema),
                "DELETE FROM %s.stock WHERE sku = 'sku2'".formatted(schema),
                "INSERT INTO %s.stock VALUES ('stray', 1, NULL)".formatted(schema));
        var untouched = "SELECT xmin, ctid FROM %s.stock WHERE sku = 'sku3'".formatted(schema);
        var before = query(untouched);
        try (var reader = DriverManager.getConnection(postgres().readerJdbcUrl())) {
            reader.setAutoCommit(false);
            assertThat(query(reader, "SELECT FROM %s.stock".formatted(schema))).hasSize(500);
            try (var sync = start(stockSpec())) {
                await("compared", () -> sync.status().getFirst().rows() == 500);
                assertThat(query(untouched)).isEqualTo(before);
                assertThat(
                                ask(
                                        "SELECT count(*) FROM %s.stock WHERE note = 'same'"
                                                .formatted(schema)))
                        .isEqualTo("500");
                assertThat(ask("SELECT sum(grams) FROM %s.stock".formatted(schema)))
                        .isEqualTo(Integer.toString(499 * 500 / 2));
            }
        }
    }

    @Test
    void batchesOfManyRowsComeAndGoToo() throws Exception {
        pipeline.commit();
        try (var sync = start(stockSpec())) {
            awaitBatch(sync, 0);
            for (var round = 0L; round < 2; round++) {
                for (var i = 0; i < 6_000; i++) {
                    pipeline.insert(STOCK, "sku" + i, i + round, null);
                }
                pipeline.publish();
                awaitBatch(sync, 2 * round + 1);
                assertThat(ask("SELECT sum(grams) FROM %s.stock".formatted(schema)))
                        .isEqualTo(Long.toString(6_000 * 5_999 / 2 + 6_000 * round));
                assertThat(sync.status().getFirst().rows()).isEqualTo(6_000);
                for (var row : List.copyOf(pipeline.content(STOCK)).reversed()) {
                    pipeline.delete(STOCK, row);
                }
                pipeline.publish();
                awaitBatch(sync, 2 * round + 2);
                assertThat(stock()).isEmpty();
            }
        }
    }

    @Test
    void batchesThatAreGoneFromMemoryAreCaughtUpFromDelta() throws Exception {
        pipeline.close();
        pipeline = pipeline(1);
        pipeline.commit();
        try (var sync = start()) {
            awaitBatch(sync, 0);
            for (var i = 0; i < 50; i++) {
                pipeline.insert(STOCK, "sku" + i, (long) i, null);
                pipeline.publish();
            }
            pipeline.commit();
            awaitBatch(sync, 50);
            assertThat(stock()).hasSize(50);
        }
    }

    @Test
    void postgresAheadOfTheRoundWaitsForTheRound() throws Exception {
        pipeline.insert(STOCK, "basil", 1L, null);
        pipeline.publish();
        pipeline.commit();
        var old = pipeline.feed().lastRound();
        try (var sync = start()) {
            pipeline.delete(STOCK, row("basil", 1L, null)).insert(STOCK, "basil", 2L, null);
            pipeline.publish();
            awaitBatch(sync, 2);
        }
        pipeline.feed().committed(Objects.requireNonNull(old));
        try (var sync = start()) {
            await("the thread waits", () -> ask("SELECT 1").equals("1"));
            assertThat(stock()).containsExactly("basil 2 null");
            assertThat(sync.status().getFirst().batch()).isZero();
            pipeline.commit();
            await("shown", () -> sync.status().getFirst().batch() == 2);
            assertThat(stock()).containsExactly("basil 2 null");
        }
    }

    @Test
    void rowsThatPostgresCannotHoldAreSetAsideAndCountedNotLostSilently() throws Exception {
        pipeline.insert(STOCK, null, 1L, "no key").insert(STOCK, "good", 1L, "fine");
        pipeline.insert(STOCK, "zero", 1L, "a\0b").insert(STOCK, "x".repeat(4000), 1L, null);
        pipeline.publish();
        pipeline.commit();
        try (var sync = start(stockSpec())) {
            awaitBatch(sync, 1);
            assertThat(stock()).containsExactly("good 1 fine");
            pipeline.insert(STOCK, null, 2L, "no key either");
            pipeline.insert(STOCK, "wrong", 2L, new byte[] {'a', (byte) 0xff});
            pipeline.delete(STOCK, row("zero", 1L, "a\0b"));
            pipeline.publish();
            awaitBatch(sync, 2);
            assertThat(stock()).containsExactly("good 1 fine");
            assertThat(sync.status().getFirst().skipped())
                    .isEqualTo(
                            Map.of(
                                    SkipReason.NULL_KEY.text(), 2L,
                                    SkipReason.INVALID_UTF8.text(), 1L,
                                    SkipReason.KEY_TOO_LONG.text(), 1L));
            assertThat(
                            query(
                                    "SELECT rows FROM lakemill.sync_skipped WHERE rows > 0"
                                            + " AND name = 'farm.%s.stock' ORDER BY rows"
                                                    .formatted(schema)))
                    .containsExactly(List.of("1"), List.of("1"), List.of("2"));
        }
    }

    @Test
    void aRowSetAsideAndDeletedSoonAfterIsNotCounted() throws Exception {
        pipeline.commit();
        pipeline.insert(STOCK, "zero", 1L, "\0");
        pipeline.publish();
        pipeline.delete(STOCK, row("zero", 1L, "\0"));
        pipeline.publish();
        try (var sync = start(stockSpec())) {
            awaitBatch(sync, 2);
            assertThat(stock()).isEmpty();
            assertThat(sync.status().getFirst().skipped()).isEmpty();
        }
    }

    @Test
    void ofRowsWithOneKeyTheLastStandsAndTheOthersAreCounted() throws Exception {
        pipeline.insert(STOCK, "basil", 1L, null).insert(STOCK, "basil", 2L, null);
        pipeline.publish();
        pipeline.commit();
        try (var sync = start(stockSpec())) {
            awaitBatch(sync, 1);
            assertThat(stock()).containsExactly("basil 2 null");
            pipeline.insert(STOCK, "mint", 1L, null).insert(STOCK, "mint", 2L, null);
            pipeline.insert(STOCK, "basil", 3L, null);
            pipeline.publish();
            awaitBatch(sync, 2);
            assertThat(stock()).containsExactly("basil 3 null", "mint 2 null");
            assertThat(sync.status().getFirst().skipped())
                    .isEqualTo(Map.of(SkipReason.DUPLICATE_KEY.text(), 3L));
            assertThat(sync.status().getFirst().rows()).isEqualTo(2);
        }
    }

    @Test
    void deletingOneOfTwoRowsWithOneKeyBringsTheOtherBack() throws Exception {
        pipeline.insert(STOCK, "basil", 1L, null).insert(STOCK, "basil", 2L, null);
        pipeline.publish();
        pipeline.commit();
        try (var sync = start(stockSpec())) {
            awaitBatch(sync, 1);
            pipeline.delete(STOCK, row("basil", 2L, null));
            pipeline.publish();
            pipeline.commit();
            await("the other row shows", () -> stock().equals(List.of("basil 1 null")));
        }
    }

    @Test
    void aRowThatMayHaveToShowIsLookedForAfterALostConnectionToo() throws Exception {
        pipeline.insert(STOCK, "basil", 1L, null).insert(STOCK, "basil", 2L, null);
        pipeline.publish();
        pipeline.commit();
        var later = new Patience(TimeUnit.SECONDS.toNanos(5), TimeUnit.MINUTES.toNanos(5));
        try (var sync = start(later, List.of(stockSpec()))) {
            awaitBatch(sync, 1);
            pipeline.delete(STOCK, row("basil", 2L, null));
            pipeline.publish();
            await("its key has gone", () -> stock().isEmpty());
            endSession();
            pipeline.insert(STOCK, "mint", 1L, null);
            pipeline.publish();
            pipeline.commit();
            var both = List.of("basil 1 null", "mint 1 null");
            await("the other row shows", () -> stock().equals(both));
        }
    }

    @Test
    void aRowThatCameBesideAnotherOfItsKeyOutlivesTheOther() throws Exception {
        pipeline.insert(STOCK, "basil", 1L, null);
        pipeline.publish();
        pipeline.commit();
        pipeline.insert(STOCK, "basil", 2L, null);
        pipeline.publish();
        pipeline.delete(STOCK, row("basil", 1L, null));
        pipeline.publish();
        try (var sync = start(stockSpec())) {
            awaitBatch(sync, 3);
            assertThat(stock()).containsExactly("basil 2 null");
            assertThat(sync.status().getFirst().skipped()).isEmpty();
            assertThat(sync.status().getFirst().rows()).isEqualTo(1);
            pipeline.commit();
        }
    }

    @Test
    void aRowThatCameAndWentLeavesTheOtherOfItsKey() throws Exception {
        pipeline.insert(STOCK, "basil", 1L, null);
        pipeline.publish();
        pipeline.commit();
        pipeline.insert(STOCK, "basil", 2L, null);
        pipeline.publish();
        pipeline.delete(STOCK, row("basil", 2L, null));
        pipeline.publish();
        try (var sync = start(stockSpec())) {
            awaitBatch(sync, 3);
            assertThat(stock()).containsExactly("basil 1 null");
            assertThat(sync.status().getFirst().rows()).isEqualTo(1);
        }
    }

    @Test
    void ofTwoNewRowsWithOneKeyTheFirstShowsWhenTheSecondGoes() throws Exception {
        pipeline.commit();
        pipeline.insert(STOCK, "basil", 1L, null);
        pipeline.publish();
        pipeline.insert(STOCK, "basil", 2L, null);
        pipeline.publish();
        pipeline.delete(STOCK, row("basil", 2L, null));
        pipeline.publish();
        try (var sync = start(stockSpec())) {
            awaitBatch(sync, 3);
            pipeline.commit();
            await("the first shows", () -> stock().equals(List.of("basil 1 null")));
        }
    }

    @Test
    void duplicatesAreNotCountedAnyMoreWhenAllRowsOfAKeyGoAndAnotherComes() throws Exception {
        pipeline.insert(STOCK, "basil", 1L, null).insert(STOCK, "basil", 2L, null);
        pipeline.publish();
        pipeline.commit();
        try (var sync = start(stockSpec())) {
            awaitBatch(sync, 1);
            pipeline.delete(STOCK, row("basil", 1L, null));
            pipeline.delete(STOCK, row("basil", 2L, null)).insert(STOCK, "basil", 3L, null);
            pipeline.publish();
            awaitBatch(sync, 2);
            assertThat(stock()).containsExactly("basil 3 null");
            pipeline.commit();
            await("none is counted", () -> sync.status().getFirst().skipped().isEmpty());
        }
    }

    @Test
    void duplicatesAreCountedBesideNewRowsThatChange() throws Exception {
        pipeline.insert(STOCK, "basil", 1L, null);
        pipeline.publish();
        pipeline.commit();
        pipeline.insert(STOCK, "basil", 2L, null).insert(STOCK, "mint", 1L, null);
        pipeline.publish();
        pipeline.delete(STOCK, row("mint", 1L, null)).insert(STOCK, "mint", 2L, null);
        pipeline.publish();
        try (var sync = start(stockSpec())) {
            awaitBatch(sync, 3);
            assertThat(stock()).containsExactly("basil 2 null", "mint 2 null");
            assertThat(sync.status().getFirst().skipped())
                    .isEqualTo(Map.of(SkipReason.DUPLICATE_KEY.text(), 1L));
            assertThat(sync.status().getFirst().rows()).isEqualTo(2);
        }
    }

    @Test
    void addedColumnsAppearAndRemovedOnesGo() throws Exception {
        pipeline.insert(STOCK, "basil", 1L, "x");
        pipeline.publish();
        pipeline.commit();
        var narrow = TableSchema.of(STOCK_SCHEMA.column(0), STOCK_SCHEMA.column(2));
        try (var sync = start(spec("stock", STOCK, narrow, List.of("sku")))) {
            awaitBatch(sync, 1);
            assertThat(columns("stock")).isEqualTo("sku,note");
        }
        try (var sync = start(stockSpec())) {
            await("compared", () -> sync.status().getFirst().batch() == 1);
            assertThat(columns("stock")).isEqualTo("sku,note,grams");
            assertThat(ask("SELECT grams FROM %s.stock".formatted(schema))).isEqualTo("1");
        }
        try (var sync = start(spec("stock", STOCK, narrow, List.of("sku")))) {
            await("compared", () -> sync.status().getFirst().batch() == 1);
            assertThat(columns("stock")).isEqualTo("sku,note");
        }
    }

    @Test
    void aChangedKeyOrTypeIsRefusedWithAdviceWhileTheOtherTablesGoOn() throws Exception {
        pipeline.insert(STOCK, "basil", 1L, "x");
        pipeline.publish();
        pipeline.commit();
        start(stockSpec()).close();
        try (var sync = start(stockSpec())) {
            await("made", () -> sync.status().getFirst().batch() == 1);
        }
        var otherKey = spec("stock", STOCK, STOCK_SCHEMA, List.of("sku", "grams"));
        try (var sync = start(otherKey, quotes(List.of("supplier"), List.of()))) {
            pipeline.insert(QUOTES, 1, new BigDecimal("1.0000"), "basil");
            pipeline.insert(STOCK, "mint", 1L, "x");
            pipeline.publish();
            await("quotes", () -> sync.status().getLast().rows() == 1);
            assertThat(sync.status().getFirst().refused())
                    .contains("primary key was (sku) and is (sku, grams)", "drop the synced table");
            assertThat(stock()).containsExactly("basil 1 x");
            assertThat(
                            ask(
                                    "SELECT refused FROM lakemill.synced_tables"
                                            + " WHERE name = 'farm.%s.stock'".formatted(schema)))
                    .contains("primary key was");
            assertThat(ask(waiting("quotes"))).isEqualTo("t");
            assertThat(ask(waiting("stock"))).as("it shows an older batch").isEqualTo("f");
            pipeline.commit();
        }
        try (var _ = start(stockSpec(), quotes(List.of("supplier"), List.of()))) {
            await("stock is accepted again", () -> ask(waiting("stock")).equals("t"));
            assertThat(stock()).containsExactly("basil 1 x", "mint 1 x");
        }
        var otherType =
                TableSchema.of(
                        STOCK_SCHEMA.column(0),
                        Column.nullable("grams", Primitive.DOUBLE),
                        STOCK_SCHEMA.column(2));
        try (var sync = start(spec("stock", STOCK, otherType, List.of("sku")))) {
            await("refused", () -> !sync.status().getFirst().refused().isEmpty());
            assertThat(sync.status().getFirst().refused())
                    .contains("column grams was bigint and is double precision");
            pipeline.commit();
        }
    }

    private String waiting(String table) {
        return "SELECT lakemill.wait_for('farm.%s.%s', 1, '50 milliseconds')"
                .formatted(schema, table);
    }

    @Test
    void aRefusedTableIsMadeAnewOnceTheOldOneIsDropped() throws Exception {
        pipeline.insert(STOCK, "basil", 1L, "x");
        pipeline.publish();
        pipeline.commit();
        try (var sync = start(stockSpec())) {
            await("made", () -> sync.status().getFirst().batch() == 1);
        }
        try (var sync = start(spec("stock", STOCK, STOCK_SCHEMA, List.of("sku", "grams")))) {
            await("refused", () -> !sync.status().getFirst().refused().isEmpty());
            Sync.drop(new TableName("farm", schema, "stock"), postgres().owner());
            await("made anew", () -> stock().equals(List.of("basil 1 x")));
            assertThat(sync.status().getFirst().refused()).isEmpty();
        }
    }

    @Test
    void droppingIsRefusedWhereSomethingNeedsTheTable() throws Exception {
        pipeline.commit();
        var name = new TableName("farm", schema, "stock");
        assertThatThrownBy(() -> Sync.drop(name, postgres().owner()))
                .hasMessageContaining("there is no synced table " + name);
        try (var sync = start(stockSpec())) {
            awaitBatch(sync, 0);
        }
        execute("CREATE VIEW lakemill.needs_%1$s AS SELECT sku FROM %1$s.stock".formatted(schema));
        assertThatThrownBy(() -> Sync.drop(name, postgres().owner()))
                .hasMessageContaining("does not drop")
                .hasMessageContaining("drop first what depends on it");
        execute("DROP VIEW lakemill.needs_" + schema);
        Sync.drop(name, postgres().owner());
        assertThat(ask("SELECT to_regclass('%s.stock')".formatted(schema))).isEmpty();
    }

    @Test
    void aReaderThatHoldsATableDelaysOnlyTheChangeOfItsForm() throws Exception {
        pipeline.insert(STOCK, "basil", 1L, "x");
        pipeline.publish();
        pipeline.commit();
        var narrow = TableSchema.of(STOCK_SCHEMA.column(0), STOCK_SCHEMA.column(2));
        try (var sync = start(spec("stock", STOCK, narrow, List.of("sku")))) {
            awaitBatch(sync, 1);
        }
        try (var reader = DriverManager.getConnection(postgres().readerJdbcUrl())) {
            reader.setAutoCommit(false);
            query(reader, "SELECT FROM %s.stock".formatted(schema));
            try (var sync = start(stockSpec(), quotes(List.of("supplier"), List.of()))) {
                pipeline.insert(QUOTES, 1, new BigDecimal("1.0000"), "basil");
                pipeline.publish();
                await("quotes go on", () -> sync.status().getLast().rows() == 1);
                assertThat(sync.status().getFirst().refused()).contains("holds its table locked");
                reader.commit();
                pipeline.commit();
                await("the column came", () -> sync.status().getFirst().refused().isEmpty());
                await("it is filled", () -> stock().equals(List.of("basil 1 x")));
            }
        }
    }

    @Test
    void aTableThatIsAcceptedByTheNextSessionGetsTheBatchesThatItMissed() throws Exception {
        pipeline.insert(STOCK, "basil", 1L, "x");
        pipeline.publish();
        pipeline.commit();
        var narrow = TableSchema.of(STOCK_SCHEMA.column(0), STOCK_SCHEMA.column(2));
        try (var sync = start(spec("stock", STOCK, narrow, List.of("sku")))) {
            awaitBatch(sync, 1);
        }
        var specs = List.of(stockSpec(), quotes(List.of("supplier"), List.of()));
        var seldom = new Patience(TimeUnit.MINUTES.toNanos(5), TimeUnit.MINUTES.toNanos(5));
        try (var reader = DriverManager.getConnection(postgres().readerJdbcUrl())) {
            reader.setAutoCommit(false);
            query(reader, "SELECT FROM %s.stock".formatted(schema));
            try (var sync = start(seldom, specs)) {
                pipeline.insert(QUOTES, 1, new BigDecimal("1.0000"), "basil");
                pipeline.insert(STOCK, "mint", 2L, "y");
                pipeline.publish();
                await("quotes go on", () -> sync.status().getLast().rows() == 1);
                assertThat(sync.status().getFirst().refused()).contains("holds its table locked");
                reader.commit();
                pipeline.commit();
                endSession();
                pipeline.insert(QUOTES, 2, new BigDecimal("2.0000"), "mint");
                pipeline.publish();
                await("all shows", () -> stock().equals(List.of("basil 1 x", "mint 2 y")));
            }
        }
    }

    /** As a lost connection does. */
    private void endSession() throws SQLException {
        execute(
                "SELECT pg_terminate_backend(pid) FROM lakemill.sync_sessions WHERE pipeline = '%s'"
                        .formatted(pipeline.name()));
    }

    @Test
    void aSecondSyncOfThePipelineWaitsForTheFirst() throws Exception {
        pipeline.insert(STOCK, "basil", 1L, null);
        pipeline.publish();
        pipeline.commit();
        var first = start(stockSpec());
        awaitBatch(first, 1);
        try (var second = start(stockSpec())) {
            pipeline.insert(STOCK, "mint", 1L, null);
            pipeline.publish();
            awaitBatch(first, 2);
            assertThat(second.status().getFirst().batch()).isZero();
            first.close();
            pipeline.commit();
            await("the second goes on", () -> second.status().getFirst().batch() == 2);
        } finally {
            first.close();
        }
    }

    @Test
    void aSourceOfOtherTypesThanDeclaredOrNoneIsRefusedAlone() throws Exception {
        pipeline.insert(STOCK, "basil", 1L, "x");
        pipeline.publish();
        pipeline.commit();
        var none = TableName.parse("farm.gold.none");
        var types =
                TableSchema.of(STOCK_SCHEMA.column(0), Column.nullable("grams", Primitive.STRING));
        var wrong = spec("wrong", STOCK, types, List.of("sku"));
        var missing = spec("missing", none, STOCK_SCHEMA, List.of("sku"));
        try (var sync = start(wrong, missing, stockSpec())) {
            awaitBatch(sync, 1);
            assertThat(stock()).containsExactly("basil 1 x");
            assertThat(sync.status().stream().map(SyncStatus::refused))
                    .containsExactly(
                            "its source farm.gold.stock has column grams as BIGINT in Delta, not"
                                    + " STRING",
                            "its source farm.gold.none is no output",
                            "");
        }
    }

    @Test
    void aTableThatNoSyncMadeIsNeverTouched() throws Exception {
        execute(
                "CREATE SCHEMA " + schema,
                "CREATE TABLE %s.stock (sku text PRIMARY KEY, mine int)".formatted(schema),
                "INSERT INTO %s.stock VALUES ('basil', 1)".formatted(schema));
        pipeline.commit();
        try (var sync = start()) {
            await("refused", () -> !sync.status().getFirst().refused().isEmpty());
            awaitBatch(sync, 0);
            assertThat(sync.status().getFirst().refused()).contains("that no sync made");
            assertThat(ask("SELECT mine FROM %s.stock".formatted(schema))).isEqualTo("1");
        }
    }

    @Test
    void twoPipelinesCannotHaveTheSameTable() throws Exception {
        pipeline.commit();
        try (var sync = start(stockSpec());
                var other =
                        new TestPipeline(
                                "other-" + schema,
                                folder.resolve("other"),
                                Map.of(STOCK, STOCK_SCHEMA),
                                1)) {
            awaitBatch(sync, 0);
            other.commit();
            var plan = new SyncPlan(other.name(), List.of(stockSpec()));
            try (var second =
                    Sync.start(plan, other.feed(), postgres().ownerUnpooled(), TestPostgres.SOON)) {
                await("refused", () -> !second.status().getFirst().refused().isEmpty());
                assertThat(second.status().getFirst().refused())
                        .contains("of the pipeline " + pipeline.name());
            }
        }
    }

    @Test
    void aTableDroppedUnderTheSyncComesBackWhole() throws Exception {
        pipeline.insert(STOCK, "basil", 1L, null);
        pipeline.publish();
        pipeline.commit();
        try (var sync = start()) {
            awaitBatch(sync, 1);
            execute("DROP TABLE %s.stock".formatted(schema));
            pipeline.insert(STOCK, "mint", 1L, null);
            pipeline.publish();
            pipeline.commit();
            await("back", () -> stock().equals(List.of("basil 1 null", "mint 1 null")));
            assertThat(sync.status().getFirst().refused()).isEmpty();
        }
    }

    @Test
    void aKilledPostgresIsCaughtUpWithoutAnybodysHelp() throws Exception {
        pipeline.commit();
        try (var sync = start()) {
            awaitBatch(sync, 0);
            for (var i = 1; i <= 90; i++) {
                pipeline.insert(STOCK, "sku" + i, (long) i, null);
                pipeline.publish();
                if (i % 30 == 0) {
                    TestPostgres.kill();
                }
            }
            awaitBatch(sync, 90);
            assertThat(stock()).hasSize(90);
        }
    }

    @Test
    void pipelinesStartedOverGoBackToWhatDeltaHolds() throws Exception {
        pipeline.insert(STOCK, "basil", 1L, null);
        for (var i = 0; i < 5; i++) {
            pipeline.publish();
        }
        pipeline.commit();
        try (var sync = start()) {
            awaitBatch(sync, 5);
        }
        pipeline.close();
        pipeline = pipeline(1 << 20);
        pipeline.insert(STOCK, "mint", 1L, null);
        pipeline.publish();
        pipeline.commit();
        try (var _ = start()) {
            await("gone back", () -> stock().equals(List.of("mint 1 null")));
        }
    }

    @Test
    void namesAndKeysThatPostgresCannotHaveAreRefusedAtOnce() {
        wrong("key", () -> spec("stock", STOCK, STOCK_SCHEMA, List.of()), "no primary key");
        wrong(
                "unknown",
                () -> spec("stock", STOCK, STOCK_SCHEMA, List.of("nope")),
                "no column nope");
        wrong("long", () -> spec("x".repeat(64), STOCK, STOCK_SCHEMA, List.of("sku")), "63 bytes");
        var nested = TableSchema.of(Column.nullable("k", DataType.parse("ARRAY<INT>")));
        wrong("nested", () -> spec("stock", STOCK, nested, List.of("k")), "cannot be a key");
        var system = TableSchema.of(Column.nullable("ctid", Primitive.LONG));
        wrong("system", () -> spec("stock", STOCK, system, List.of("ctid")), "reserves");
    }

    private static void wrong(String what, Runnable spec, String message) {
        assertThatThrownBy(spec::run)
                .as(what)
                .isInstanceOf(LakemillException.class)
                .hasMessageContaining(message);
    }

    private Sync start() {
        return start(stockSpec(), quotes(List.of("supplier", "sku"), List.of()));
    }

    private Sync start(SyncedTableSpec... specs) {
        return start(TestPostgres.SOON, List.of(specs));
    }

    private Sync start(Patience patience, List<SyncedTableSpec> specs) {
        var plan = new SyncPlan(pipeline.name(), specs);
        return Sync.start(plan, pipeline.feed(), postgres().ownerUnpooled(), patience);
    }

    private SyncedTableSpec stockSpec() {
        return spec("stock", STOCK, STOCK_SCHEMA, List.of("sku"));
    }

    private SyncedTableSpec quotes(List<String> key, List<List<String>> indexes) {
        var name = new TableName("farm", schema, "quotes");
        return new SyncedTableSpec(name, QUOTES, QUOTES_SCHEMA, key, indexes);
    }

    private SyncedTableSpec spec(
            String table, TableName source, TableSchema columns, List<String> key) {
        return new SyncedTableSpec(
                new TableName("farm", schema, table), source, columns, key, List.of());
    }

    private static void awaitBatch(Sync sync, long batch) throws SQLException {
        await(
                "batch " + batch + " is applied",
                () -> {
                    var status = sync.status().getFirst();
                    return status.appliedAt() != null && status.batch() >= batch;
                });
    }

    private List<String> stock() throws SQLException {
        var rows = new ArrayList<String>();
        for (var row :
                query("SELECT sku, grams, note FROM %s.stock ORDER BY sku".formatted(schema))) {
            rows.add("%s %s %s".formatted(row.get(0), row.get(1), row.get(2)));
        }
        return rows;
    }

    private String columns(String table) throws Exception {
        return ask(
                "SELECT string_agg(attname, ',' ORDER BY attnum) FROM pg_attribute"
                        + " WHERE attnum > 0 AND NOT attisdropped AND attrelid = '%s.%s'::regclass"
                                .formatted(schema, table));
    }

    private static List<@Nullable Object> row(@Nullable Object... values) {
        return new ArrayList<>(Arrays.asList(values));
    }
}
