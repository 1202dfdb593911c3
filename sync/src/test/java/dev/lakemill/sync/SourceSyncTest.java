package dev.lakemill.sync;

import static dev.lakemill.sync.TestPostgres.ask;
import static dev.lakemill.sync.TestPostgres.await;
import static dev.lakemill.sync.TestPostgres.query;
import static dev.lakemill.sync.TestSource.row;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lakemill.sync.TestSource.Row;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Synced tables over Delta tables that others write. */
final class SourceSyncTest {
    private static final TableSchema SCHEMA =
            TableSchema.of(
                    Column.required("id", Primitive.INTEGER),
                    Column.nullable("name", Primitive.STRING));

    @TempDir Path folder;

    private final String schema = TestPostgres.uniqueName("source");
    private final TableName source = TableName.parse("lake.raw." + schema);
    private final TableName name = TableName.parse("lake." + schema + ".items");

    @Test
    void showsAWholeTableAndThenWhatChanges() throws SQLException {
        try (var delta = new TestSource(folder, source, SCHEMA, false)) {
            delta.append(row(1, "a"), row(2, "b"));
            try (var _ = start(SyncMode.CONTINUOUS, delta)) {
                await("the first rows show", () -> shown().equals("1a 2b"));
                delta.append(row(3, "c"));
                await("an appended row shows", () -> shown().equals("1a 2b 3c"));
                var last = delta.replace(row(2, "B"), row(3, "c"), row(4, "d"));
                await("changed and deleted rows show", () -> shown().equals("2B 3c 4d"));
                assertEquals(
                        String.valueOf(last),
                        ask(
                                "SELECT source_versions->>'%s' FROM lakemill.sync_state"
                                                .formatted(source)
                                        + " WHERE pipeline = '%s'".formatted(name)));
            }
        }
    }

    @Test
    void theFilesOfAVersionOutliveVacuumUntilItIsCopied() {
        try (var delta = new TestSource(folder, source, SCHEMA, false)) {
            delta.append(row(1, "a"), row(2, "b"));
            try (var snapshot = delta.snapshot()) {
                delta.replace(row(3, "c"));
                assertEquals(2, delta.vacuum());
                try (var reader = snapshot.read();
                        var rows = Objects.requireNonNull(reader.next())) {
                    assertEquals(2, rows.count());
                }
            }
            assertEquals(1, delta.vacuum());
        }
    }

    @Test
    void unchangedRowsOfRewrittenFilesStayUntouched() throws SQLException {
        try (var delta = new TestSource(folder, source, SCHEMA, false)) {
            delta.append(row(1, "a"), row(2, "b"));
            try (var _ = start(SyncMode.CONTINUOUS, delta)) {
                await("the first rows show", () -> shown().equals("1a 2b"));
                var before = ask("SELECT xmin FROM %s WHERE id = 1".formatted(table()));
                delta.replace(row(1, "a"), row(2, "B"));
                await("the change shows", () -> shown().equals("1a 2B"));
                assertEquals(before, ask("SELECT xmin FROM %s WHERE id = 1".formatted(table())));
            }
        }
    }

    @Test
    void goesOnWhereItEndedWithoutReadingEverything() throws SQLException {
        try (var delta = new TestSource(folder, source, SCHEMA, false)) {
            delta.append(row(1, "a"), row(2, "b"));
            try (var _ = start(SyncMode.CONTINUOUS, delta)) {
                await("the first rows show", () -> shown().equals("1a 2b"));
            }
            // A comparison in full would undo this.
            TestPostgres.execute("UPDATE %s SET name = 'kept' WHERE id = 1".formatted(table()));
            delta.append(row(3, "c"));
            try (var sync = start(SyncMode.CONTINUOUS, delta)) {
                await("the missed row shows", () -> shown().equals("1kept 2b 3c"));
                await("rows are counted", () -> sync.status().getFirst().table().rows() == 3);
            }
        }
    }

    @Test
    void anOlderVersionThatIsGoneIsComparedInFull() throws SQLException {
        try (var delta = new TestSource(folder, source, SCHEMA, false)) {
            delta.append(row(1, "a"));
            try (var _ = start(SyncMode.TRIGGERED, delta)) {
                await("the first row shows", () -> shown().equals("1a"));
            }
            TestPostgres.execute(
                    "UPDATE lakemill.sync_state SET source_versions = '{\"%s\": 777}'"
                                    .formatted(source)
                            + " WHERE pipeline = '%s'".formatted(name));
            delta.replace(row(2, "b"));
            try (var sync = start(SyncMode.TRIGGERED, delta)) {
                sync.refresh();
                await("the difference is written", () -> shown().equals("2b"));
            }
        }
    }

    @Test
    void aDifferenceOfManyBytesIsComparedInFull() throws SQLException {
        var large =
                IntStream.rangeClosed(2, 41)
                        .mapToObj(i -> row(i, "x".repeat(1 << 20)))
                        .toArray(Row[]::new);
        try (var delta = new TestSource(folder, source, SCHEMA, false)) {
            delta.append(row(1, "a"));
            try (var _ = start(SyncMode.CONTINUOUS, delta)) {
                await("the first row shows", () -> shown().equals("1a"));
                // A comparison in full undoes this.
                TestPostgres.execute("UPDATE %s SET name = 'mine'".formatted(table()));
                delta.append(large);
                await("all show", () -> ask("SELECT count(*) FROM " + table()).equals("41"));
                assertEquals("a", ask("SELECT name FROM %s WHERE id = 1".formatted(table())));
            }
        }
    }

    @Test
    void aDifferenceThatMemoryIsTooShortForIsComparedInFull() throws SQLException {
        try (var delta = new TestSource(folder, source, SCHEMA, false)) {
            delta.append(row(1, "a"));
            try (var sync = start(SyncMode.TRIGGERED, delta)) {
                await("the first row shows", () -> shown().equals("1a"));
                // A comparison in full undoes this.
                TestPostgres.execute("UPDATE %s SET name = 'mine'".formatted(table()));
                delta.append(row(2, "b"));
                delta.limitMemory(true);
                sync.refresh();
                await("it fails", () -> !sync.status().getFirst().problem().isEmpty());
                delta.limitMemory(false);
                await("it is compared", () -> shown().equals("1a 2b"));
            }
        }
    }

    @Test
    void aSnapshotTableChangesOnDemandAlone() throws SQLException {
        changesOnDemandAlone(SyncMode.SNAPSHOT);
    }

    @Test
    void aTriggeredTableChangesOnDemandAlone() throws SQLException {
        changesOnDemandAlone(SyncMode.TRIGGERED);
    }

    private void changesOnDemandAlone(SyncMode mode) throws SQLException {
        try (var delta = new TestSource(folder, source, SCHEMA, false)) {
            delta.append(row(1, "a"));
            try (var sync = start(mode, delta)) {
                await("the first row shows", () -> shown().equals("1a"));
                await(
                        "nothing is to be done",
                        () ->
                                sync.status().getFirst().state()
                                        == SourceStatus.State.ONLINE_NO_PENDING_UPDATE);
                var batch = sync.status().getFirst().table().batch();
                var version = delta.append(row(2, "b"));
                sync.refresh();
                await("the second row shows", () -> shown().equals("1a 2b"));
                await("it is told", () -> sync.status().getFirst().version() == version);
                assertEquals(batch + 1, sync.status().getFirst().table().batch());
            }
        }
    }

    @Test
    void olderSnapshotsOfReadersSeeTheOldRowsThroughARefresh() throws SQLException {
        try (var delta = new TestSource(folder, source, SCHEMA, false)) {
            delta.append(row(1, "a"), row(2, "b"));
            try (var sync = start(SyncMode.SNAPSHOT, delta);
                    var reader = TestPostgres.postgres().owner().getConnection()) {
                await("the first rows show", () -> shown().equals("1a 2b"));
                reader.setAutoCommit(false);
                reader.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
                assertEquals(2, query(reader, "SELECT * FROM " + table()).size());
                delta.replace(row(3, "c"));
                sync.refresh();
                await("the new row shows", () -> shown().equals("3c"));
                assertEquals(2, query(reader, "SELECT * FROM " + table()).size());
                reader.rollback();
            }
        }
    }

    @Test
    void anErrorEndsNoSync() throws SQLException {
        try (var delta = new TestSource(folder, source, SCHEMA, false)) {
            delta.append(row(1, "a"));
            try (var _ = start(SyncMode.CONTINUOUS, delta)) {
                await("the first row shows", () -> shown().equals("1a"));
                delta.breakOnce(new OutOfMemoryError("for a test"));
                await("the error has come", () -> !delta.isBroken());
                delta.append(row(2, "b"));
                await("the sync has gone on", () -> shown().equals("1a 2b"));
            }
        }
    }

    @Test
    void showsAcknowledgedRowsBeforeDeltaHasThem() throws SQLException {
        try (var delta = new TestSource(folder, source, SCHEMA, true)) {
            try (var _ = start(SyncMode.CONTINUOUS, delta)) {
                await("the table is there", () -> shown().isEmpty() && batch() > 0);
                var position = delta.publish(row(1, "a"), row(2, "b"));
                assertEquals(
                        "t",
                        ask(
                                "SELECT lakemill.wait_for('%s', %d, '120 seconds')"
                                        .formatted(name, position)));
                assertEquals("1a 2b", shown());
            }
            delta.publish(row(2, "B"), row(3, "c"));
            try (var _ = start(SyncMode.CONTINUOUS, delta)) {
                await("missed rows show", () -> shown().equals("1a 2B 3c"));
            }
        }
    }

    @Test
    void rowsThatDeltaIsYetToGetStayWhileAnotherTableJoins() throws SQLException {
        var other = TableName.parse("lake." + schema + ".others");
        var counts = "SELECT count(*) FROM %s.others".formatted(schema);
        var place = "SELECT xmin, ctid FROM " + table();
        try (var delta = new TestSource(folder, source, SCHEMA, true)) {
            var both = List.of(member(name, delta), member(other, delta));
            try (var _ = start(SyncMode.CONTINUOUS, both.subList(0, 1))) {
                await("the table is there", () -> batch() > 0);
                delta.publish(row(1, "a"));
                await("the row shows", () -> shown().equals("1a"));
            }
            var before = query(place);
            try (var sync = start(SyncMode.CONTINUOUS, both)) {
                await("the other is there", () -> ask(counts).equals("0") && batch() > 0);
                assertEquals(SourceStatus.State.PROVISIONING, sync.status().getLast().state());
                delta.land(row(1, "a"));
                await("the other has the row", () -> ask(counts).equals("1"));
                assertEquals(before, query(place));
            }
        }
    }

    @Test
    void aFeedThatWasMadeAnewHasItsTablesGoBack() throws SQLException {
        try (var delta = new TestSource(folder, source, SCHEMA, true)) {
            try (var _ = start(SyncMode.CONTINUOUS, delta)) {
                await("the table is there", () -> batch() > 0);
                delta.publish(row(1, "a"));
                await("the row shows", () -> shown().equals("1a"));
            }
        }
        TestPostgres.execute(
                "UPDATE lakemill.synced_tables SET whole = false WHERE name = '%s'"
                        .formatted(name));
        try (var delta = new TestSource(folder.resolve("anew"), source, SCHEMA, true);
                var _ = start(SyncMode.CONTINUOUS, delta)) {
            await("the row is gone", () -> shown().isEmpty());
            delta.publish(row(2, "b"));
            await("it goes on", () -> shown().equals("2b"));
        }
    }

    @Test
    void waitingEndsAndSaysWhatIsWrong() throws SQLException {
        try (var delta = new TestSource(folder, source, SCHEMA, false)) {
            var version = delta.append(row(1, "a"));
            try (var _ = start(SyncMode.TRIGGERED, delta)) {
                await("the first row shows", () -> shown().equals("1a"));
                var later = "SELECT lakemill.wait_for('%s', %d, '10 milliseconds')";
                assertEquals("f", ask(later.formatted(table(), version + 1)));
                assertEquals("t", ask(later.formatted(table(), version)));
                var error =
                        String.valueOf(
                                assertThrows(
                                                SQLException.class,
                                                () ->
                                                        ask(
                                                                "SELECT lakemill.wait_for("
                                                                        + "'no.such', 1)"))
                                        .getMessage());
                assertTrue(error.contains("there is no synced table no.such"), error);
            }
        }
    }

    @Test
    void newColumnsComeWithoutDroppingTableIndexesOrGrants() throws SQLException {
        try (var delta = new TestSource(folder, source, SCHEMA, false)) {
            delta.append(row(1, "a"));
            try (var _ = start(SyncMode.CONTINUOUS, delta)) {
                await("the first row shows", () -> shown().equals("1a"));
                TestPostgres.execute(
                        "CREATE INDEX mine_%s ON %s (name)".formatted(schema, table()));
                var before = ask("SELECT '%s'::regclass::oid".formatted(table()));
                delta.widen(
                        TableSchema.of(
                                SCHEMA.column(0),
                                SCHEMA.column(1),
                                Column.nullable("size", Primitive.LONG)));
                delta.append(row(2, "b", 7L));
                await(
                        "the new column shows",
                        () ->
                                hasColumn("size")
                                        && ask("SELECT size FROM %s WHERE id = 2"
                                                        .formatted(table()))
                                                .equals("7"));
                assertEquals(before, ask("SELECT '%s'::regclass::oid".formatted(table())));
                assertEquals(
                        "1",
                        ask(
                                "SELECT count(*) FROM pg_indexes WHERE indexname = 'mine_%s'"
                                        .formatted(schema)));
            }
        }
    }

    @Test
    void aColumnThatComesUnderANameTooLongIsLeftOutAndTold() throws SQLException {
        var tooLong = "x".repeat(64);
        try (var delta = new TestSource(folder, source, SCHEMA, false)) {
            delta.append(row(1, "a"));
            try (var sync = start(SyncMode.CONTINUOUS, delta)) {
                await("the first row shows", () -> shown().equals("1a"));
                delta.widen(
                        TableSchema.of(
                                SCHEMA.column(0),
                                SCHEMA.column(1),
                                Column.nullable(tooLong, Primitive.LONG)));
                delta.append(row(2, "b", 7L));
                await("rows go on", () -> shown().equals("1a 2b"));
                await(
                        "it is told",
                        () -> sync.status().getFirst().problem().contains("no such names: xxx"));
                assertEquals(
                        SourceStatus.State.ONLINE_CONTINUOUS_UPDATE,
                        sync.status().getFirst().state());
            }
        }
    }

    @Test
    void widerTypesComeInPlaceOnceNoOlderReaderIsLeft() throws SQLException {
        try (var delta = new TestSource(folder, source, SCHEMA, false)) {
            delta.append(row(1, "a"));
            try (var sync = start(SyncMode.CONTINUOUS, delta);
                    var reader = TestPostgres.postgres().owner().getConnection()) {
                await("the first row shows", () -> shown().equals("1a"));
                TestPostgres.execute(
                        "CREATE INDEX mine_%s ON %s (name)".formatted(schema, table()));
                reader.setAutoCommit(false);
                reader.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
                assertEquals(1, query(reader, "SELECT 1").size());
                delta.widen(
                        TableSchema.of(
                                Column.required("id", Primitive.LONG),
                                Column.nullable("name", Primitive.STRING)));
                delta.append(row(5_000_000_000L, "b"));
                await(
                        "it waits for the reader",
                        () ->
                                sync.status()
                                        .getFirst()
                                        .problem()
                                        .contains("no transaction is open"));
                assertEquals(1, query(reader, "SELECT * FROM " + table()).size());
                reader.rollback();
                await("the wide row shows", () -> shown().equals("1a 5000000000b"));
                assertEquals(
                        "1",
                        ask(
                                "SELECT count(*) FROM pg_indexes WHERE indexname = 'mine_%s'"
                                        .formatted(schema)));
            }
        }
    }

    @Test
    void aKilledPostgresLosesNothingAndDoublesNothing() throws SQLException {
        try (var delta = new TestSource(folder, source, SCHEMA, true)) {
            try (var _ = start(SyncMode.CONTINUOUS, delta)) {
                await("the table is there", () -> batch() > 0);
                for (var i = 1; i <= 60; i++) {
                    delta.publish(row(i, "a"), row(1, "newest" + i));
                    if (i % 20 == 0) {
                        TestPostgres.kill();
                    }
                }
                await("all rows show", () -> ask("SELECT count(*) FROM " + table()).equals("60"));
                assertEquals(
                        "newest60", ask("SELECT name FROM %s WHERE id = 1".formatted(table())));
                assertEquals(
                        "60",
                        ask(
                                "SELECT rows FROM lakemill.synced_tables WHERE name = '%s'"
                                        .formatted(name)));
            }
        }
    }

    @Test
    void theNewestRowOfAKeyShowsAndTextThatIsTooLongDoesNot() throws SQLException {
        var columns =
                TableSchema.of(
                        Column.required("id", Primitive.INTEGER),
                        Column.nullable("name", Primitive.STRING),
                        Column.nullable("at", Primitive.LONG));
        try (var delta = new TestSource(folder, source, columns, false)) {
            delta.append(row(1, "new", 9L), row(1, "old", -5L), row(2, "too long", 1L));
            var member =
                    new SourcePlan.Member(
                            name,
                            delta,
                            found ->
                                    new SyncedTableSpec(
                                            name,
                                            source,
                                            found,
                                            List.of("id"),
                                            List.of(),
                                            new SyncedTableForm(
                                                    "at",
                                                    Map.of(
                                                            "name",
                                                            new TypeOverride(
                                                                    TypeOverride.Kind.VARCHAR, 5)),
                                                    List.of(),
                                                    List.of())));
            var plan = new SourcePlan(name.toString(), SyncMode.CONTINUOUS, List.of(member));
            try (var sync =
                    SourceSync.start(
                            plan, TestPostgres.postgres().ownerUnpooled(), TestPostgres.SOON)) {
                await("the newest row shows", () -> shown().equals("1new"));
                delta.append(row(1, "late", 8L), row(3, "é€😀ab", 1L), row(3, "older", 0L));
                await("a late row stays behind", () -> shown().equals("1new 3é€😀ab"));
                delta.append(row(1, "newer", 10L));
                await("a newer row shows", () -> shown().equals("1newer 3é€😀ab"));
                delta.replace(row(1, "old", -5L), row(3, "older", 0L));
                await("a source that goes back is followed", () -> shown().equals("1old 3older"));
                await(
                        "nothing is counted any more",
                        () -> sync.status().getFirst().table().skipped().isEmpty());
            }
        }
    }

    @Test
    void tablesOfAGroupShowOneBatch() throws SQLException {
        var other = TableName.parse("lake." + schema + ".others");
        try (var delta = new TestSource(folder, source, SCHEMA, false)) {
            delta.append(row(1, "a"));
            var group = "group_" + schema;
            var plan =
                    new SourcePlan(
                            group,
                            SyncMode.TRIGGERED,
                            List.of(member(name, delta), member(other, delta)));
            try (var sync =
                    SourceSync.start(
                            plan, TestPostgres.postgres().ownerUnpooled(), TestPostgres.SOON)) {
                await(
                        "both show the row",
                        () ->
                                sync.status().stream().allMatch(s -> s.table().rows() == 1)
                                        && shown().equals("1a"));
                assertEquals(
                        "2",
                        ask(
                                "SELECT count(*) FROM lakemill.synced_tables WHERE pipeline = '%s'"
                                        .formatted(group)));
            }
        }
    }

    @Test
    void rowsThatPostgresCannotHoldAreCountedAndTheOthersShow() throws SQLException {
        var nullable =
                TableSchema.of(
                        Column.nullable("id", Primitive.INTEGER),
                        Column.nullable("name", Primitive.STRING));
        try (var delta = new TestSource(folder, source, nullable, false)) {
            delta.append(row(1, "a"), row(null, "no key"), row(2, "zero \0 byte"), row(1, "A"));
            try (var sync = start(SyncMode.CONTINUOUS, delta)) {
                await("the good row shows", () -> shown().equals("1A"));
                await("it is told", () -> !sync.status().getFirst().table().skipped().isEmpty());
                assertEquals(3, sync.status().getFirst().table().skipped().size());
                // The later row goes, and the one that it hid shows.
                delta.replace(row(1, "a"));
                await("the hidden row shows", () -> shown().equals("1a"));
                await("counts go", () -> sync.status().getFirst().table().skipped().isEmpty());
            }
        }
    }

    @Test
    void aRowThatMayHaveToShowIsLookedForAfterAnErrorToo() throws SQLException {
        var nullable =
                TableSchema.of(
                        Column.nullable("id", Primitive.INTEGER),
                        Column.nullable("name", Primitive.STRING));
        try (var delta = new TestSource(folder, source, nullable, false)) {
            delta.append(row(1, "a"));
            delta.append(row(1, "A"));
            try (var _ = start(SyncMode.CONTINUOUS, delta)) {
                await("the later row shows", () -> shown().equals("1A"));
                delta.breakSnapshotBehind(1);
                // Of the later row's file alone: the other is not among what has changed.
                delta.upsert(nullable, row(1, "A"), row(2, "b"));
                await("the look at all rows has failed", () -> !delta.isSnapshotToBreak());
                await("the hidden row shows", () -> shown().equals("1a 2b"));
            }
        }
    }

    @Test
    void aTableThatComesBackToItsGroupGetsWhatItMissed() throws SQLException {
        var other = TableName.parse("lake." + schema + ".others");
        var counts = "SELECT count(*) FROM %s.others".formatted(schema);
        try (var delta = new TestSource(folder, source, SCHEMA, false)) {
            delta.append(row(1, "a"));
            var both = List.of(member(name, delta), member(other, delta));
            try (var _ = start(SyncMode.CONTINUOUS, both)) {
                await("the row shows", () -> shown().equals("1a") && ask(counts).equals("1"));
            }
            try (var _ = start(SyncMode.CONTINUOUS, both.subList(0, 1))) {
                delta.append(row(2, "b"));
                await("the next row shows", () -> shown().equals("1a 2b"));
            }
            try (var _ = start(SyncMode.CONTINUOUS, both)) {
                await("it shows in the other too", () -> ask(counts).equals("2"));
            }
        }
    }

    @Test
    void manyRowsOfOneKeyAreComparedInOnePass() throws SQLException {
        var columns =
                TableSchema.of(
                        Column.required("id", Primitive.INTEGER),
                        Column.nullable("name", Primitive.STRING),
                        Column.nullable("at", Primitive.LONG));
        var many =
                LongStream.range(0, 60_000).mapToObj(i -> row(1, "n" + i, i)).toArray(Row[]::new);
        try (var delta = new TestSource(folder, source, columns, false)) {
            delta.append(many);
            try (var sync = start(SyncMode.SNAPSHOT, List.of(newest(delta)))) {
                await("the newest row shows", () -> shown().equals("1n59999"));
                delta.append(row(1, "last", 60_000L), row(1, "none", null), row(2, "b", 1L));
                sync.refresh();
                await("the change shows", () -> shown().equals("1last 2b"));
            }
        }
    }

    private SourceSync start(SyncMode mode, SyncSource from) {
        return start(mode, List.of(member(name, from)));
    }

    private SourceSync start(SyncMode mode, List<SourcePlan.Member> members) {
        var plan = new SourcePlan(name.toString(), mode, members);
        return SourceSync.start(plan, TestPostgres.postgres().ownerUnpooled(), TestPostgres.SOON);
    }

    /** Of the rows with one id that with the highest number in the column "at" shows. */
    private SourcePlan.Member newest(SyncSource from) {
        var form = new SyncedTableForm("at", Map.of(), List.of(), List.of());
        return new SourcePlan.Member(
                name,
                from,
                columns ->
                        new SyncedTableSpec(name, source, columns, List.of("id"), List.of(), form));
    }

    private static SourcePlan.Member member(TableName name, SyncSource from) {
        return new SourcePlan.Member(
                name,
                from,
                columns ->
                        new SyncedTableSpec(name, from.name(), columns, List.of("id"), List.of()));
    }

    private String table() {
        return schema + ".items";
    }

    private long batch() throws SQLException {
        var batch =
                ask("SELECT batch FROM lakemill.sync_state WHERE pipeline = '%s'".formatted(name));
        return batch.isEmpty() ? 0 : Long.parseLong(batch);
    }

    private boolean hasColumn(String column) throws SQLException {
        return !query(
                        "SELECT FROM information_schema.columns WHERE table_schema = '%s' AND"
                                        .formatted(schema)
                                + " column_name = '%s'".formatted(column))
                .isEmpty();
    }

    /** Empty while there is no table. */
    private String shown() throws SQLException {
        if (ask("SELECT to_regclass('%s')".formatted(table())).isEmpty()) {
            return "";
        }
        return ask("SELECT string_agg(id || name, ' ' ORDER BY id) FROM " + table());
    }
}
