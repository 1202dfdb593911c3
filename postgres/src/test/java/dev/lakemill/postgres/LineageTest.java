package dev.lakemill.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.Lineage;
import dev.lakemill.catalog.Lineage.Direction;
import dev.lakemill.catalog.LineageEntity;
import dev.lakemill.catalog.LineageFlow;
import dev.lakemill.catalog.LineageFlow.Columns;
import dev.lakemill.catalog.LineageFlow.Edge;
import dev.lakemill.catalog.LineageLink;
import dev.lakemill.catalog.LineageNode;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The store of lineage, which module {@code catalog} cannot test itself. */
final class LineageTest {
    private static final Instant HOUR = Instant.parse("2026-03-01T10:00:00Z");
    private static final LineageNode BRONZE = table("farm.bronze.readings");
    private static final LineageNode SILVER = table("farm.silver.readings");
    private static final LineageNode GOLD = table("farm.gold.climate");
    private static final LineageNode MODEL =
            new LineageNode(LineageNode.Type.MODEL, "farm.ml.growth");
    private static final LineageEntity PIPELINE =
            new LineageEntity(LineageEntity.Type.PIPELINE, "farm", "v1");
    private static final LineageEntity STREAM =
            new LineageEntity(LineageEntity.Type.STREAM, "sensor-7", "");

    @TempDir static Path folder;
    private static Postgres postgres;
    private static Catalog catalog;
    private static Lineage lineage;

    @BeforeAll
    static void start() throws Exception {
        TestFolders.open(folder);
        postgres = Postgres.start(PostgresConfig.embedded(folder.resolve("pg"), 0));
        catalog = Catalog.open(postgres.owner());
        lineage = catalog.lineage();
    }

    @AfterAll
    static void stop() {
        catalog.audit().close();
        postgres.close();
    }

    @BeforeEach
    void record() {
        lineage.forget(Instant.parse("2100-01-01T00:00:00Z"));
        lineage.record(
                List.of(
                        flow(STREAM, HOUR, new Edge(null, BRONZE, List.of(), 100)),
                        flow(
                                PIPELINE,
                                HOUR,
                                edge(BRONZE, SILVER, "celsius", "kelvin"),
                                edge(SILVER, GOLD, "kelvin", "warmest"),
                                edge(GOLD, MODEL, "warmest", "input"))));
    }

    @Test
    void aWalkFindsWhatATableIsMadeFromToADepth() {
        assertThat(
                        names(
                                lineage.tables(
                                        "farm.gold.climate",
                                        Direction.UPSTREAM,
                                        1,
                                        LineageTest::all)))
                .containsExactly("farm.silver.readings>farm.gold.climate");
        assertThat(
                        names(
                                lineage.tables(
                                        "FARM.gold.Climate",
                                        Direction.UPSTREAM,
                                        9,
                                        LineageTest::all)))
                .containsExactly(
                        "farm.silver.readings>farm.gold.climate",
                        "farm.bronze.readings>farm.silver.readings",
                        "null>farm.bronze.readings");
        assertThat(
                        names(
                                lineage.tables(
                                        "farm.bronze.readings",
                                        Direction.DOWNSTREAM,
                                        9,
                                        LineageTest::all)))
                .hasSize(3)
                .last()
                .isEqualTo("farm.gold.climate>farm.ml.growth");
    }

    @Test
    void aWalkFollowsAColumn() {
        var up =
                lineage.columns(
                        "farm.gold.climate", "warmest", Direction.UPSTREAM, 9, LineageTest::all);
        assertThat(up)
                .extracting(LineageLink::sourceColumn, LineageLink::depth)
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple("kelvin", 1),
                        org.assertj.core.groups.Tuple.tuple("celsius", 2));
        assertThat(
                        lineage.columns(
                                "farm.gold.climate",
                                "other",
                                Direction.UPSTREAM,
                                9,
                                LineageTest::all))
                .isEmpty();
    }

    @Test
    void aWalkNeitherShowsNorGoesThroughWhatIsNotVisible() {
        Predicate<LineageNode> notSilver = node -> !node.equals(SILVER);
        assertThat(lineage.tables("farm.gold.climate", Direction.UPSTREAM, 9, notSilver)).isEmpty();
        assertThat(
                        lineage.columns(
                                "farm.gold.climate", "warmest", Direction.UPSTREAM, 9, notSilver))
                .isEmpty();
    }

    @Test
    void aCircleEnds() {
        lineage.record(List.of(flow(PIPELINE, HOUR, edge(GOLD, BRONZE, "warmest", "celsius"))));
        assertThat(lineage.tables("farm.gold.climate", Direction.UPSTREAM, 1000, LineageTest::all))
                .hasSize(4);
        assertThat(
                        lineage.columns(
                                "farm.gold.climate",
                                "warmest",
                                Direction.UPSTREAM,
                                1000,
                                LineageTest::all))
                .hasSize(3);
    }

    @Test
    void theSameFlowInOneWindowIsOneRowThatCounts() {
        var later = HOUR.plus(Duration.ofMinutes(10));
        lineage.record(
                List.of(
                        new LineageFlow(
                                STREAM,
                                "sensor-7",
                                HOUR,
                                later,
                                List.of(new Edge(null, BRONZE, List.of(), 23)))));
        var events = lineage.events(Instant.EPOCH, "", Instant.parse("2100-01-01T00:00:00Z"), 99);
        assertThat(events).hasSize(4);
        assertThat(events.getLast().rows()).isEqualTo(123);
        assertThat(events.getLast().link().time()).isEqualTo(later);
    }

    @Test
    void countedRowsAreRecordedOnceAnHourAndEntity() {
        for (var i = 0; i < 1_000; i++) {
            lineage.wrote(STREAM, "sensor-7", SILVER, 3);
        }
        assertThat(lineage.tables(SILVER.name(), Direction.UPSTREAM, 1, LineageTest::all))
                .hasSize(1);
        lineage.flush();
        lineage.flush();
        var events = lineage.events(HOUR.plusSeconds(1), "", Instant.now().plusSeconds(9), 99);
        assertThat(events.stream().mapToLong(Lineage.Event::rows).sum()).isEqualTo(3_000);
        assertThat(events.size()).isBetween(1, 2);
    }

    @Test
    void eventsComeInPagesWithTheirColumns() {
        var end = Instant.parse("2100-01-01T00:00:00Z");
        var first = lineage.events(Instant.EPOCH, "", end, 2);
        assertThat(first).hasSize(2);
        var last = first.getLast();
        var second = lineage.events(last.link().time(), last.recordId(), end, 9);
        assertThat(second).hasSize(2).doesNotContainAnyElementsOf(first);
        assertThat(
                        java.util.stream.Stream.of(first, second)
                                .flatMap(List::stream)
                                .flatMap(event -> lineage.columns(event).stream()))
                .containsExactlyInAnyOrder(
                        new Columns("celsius", "kelvin"),
                        new Columns("kelvin", "warmest"),
                        new Columns("warmest", "input"));
    }

    @Test
    void theViewsHaveDatabricksColumns() throws SQLException {
        assertThat(
                        text(
                                """
                                SELECT concat_ws(' ', source_table_schema, target_table_name,
                                    source_column_name, target_column_name, entity_type, created_by)
                                FROM lakemill.access_column_lineage
                                WHERE target_table_full_name = 'farm.gold.climate'
                                """))
                .isEqualTo("silver climate kelvin warmest PIPELINE anna");
        assertThat(
                        text(
                                """
                                SELECT concat_ws(' ', coalesce(source_table_full_name, 'none'),
                                    target_table_catalog, event_date)
                                FROM lakemill.access_table_lineage WHERE entity_type = 'STREAM'
                                """))
                .isEqualTo("none farm 2026-03-01");
    }

    /** A walk that shows everything. */
    private static boolean all(LineageNode node) {
        return !node.name().isEmpty();
    }

    private static LineageNode table(String name) {
        return new LineageNode(LineageNode.Type.TABLE, name);
    }

    private static LineageFlow flow(LineageEntity entity, Instant window, Edge... edges) {
        var by = entity.equals(STREAM) ? "sensor-7" : "anna";
        return new LineageFlow(entity, by, window, window, List.of(edges));
    }

    private static Edge edge(LineageNode source, LineageNode target, String from, String to) {
        return new Edge(source, target, List.of(new Columns(from, to)), 0);
    }

    private static List<String> names(List<LineageLink> links) {
        return links.stream()
                .map(
                        link ->
                                (link.source() == null ? "null" : link.source().name())
                                        + ">"
                                        + (link.target() == null ? "null" : link.target().name()))
                .toList();
    }

    private static String text(String sql) throws SQLException {
        try (var connection = postgres.owner().getConnection();
                var statement = connection.createStatement();
                var rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getString(1);
        }
    }
}
