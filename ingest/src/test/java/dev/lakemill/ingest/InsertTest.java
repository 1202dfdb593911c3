package dev.lakemill.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableSchema;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Rows without a stream: durable when the call returns, refused as a whole, governed alike. */
@Timeout(300)
final class InsertTest {
    private static final String TABLE = RawClient.TABLE;
    private static final TableSchema SCHEMA =
            TableSchema.of(
                    Column.required("event_id", Primitive.STRING),
                    Column.nullable("trays", Primitive.INTEGER));

    @TempDir private Path folder;
    private Node node = new Node(Path.of("none"));

    private void open() {
        node = new Node(folder).table(TABLE, SCHEMA).open();
    }

    @AfterEach
    void close() {
        node.close();
    }

    private int insert(String body) {
        return insert(body, "Bearer token");
    }

    private int insert(String body, String authorization) {
        return insert(body, authorization, "127.0.0.1");
    }

    private int insert(String body, String authorization, String address) {
        return node.ingest()
                .insert(
                        new InsertRequest(
                                TABLE,
                                authorization,
                                address,
                                body.getBytes(StandardCharsets.UTF_8)));
    }

    private void assertRefused(String body, ErrorCode code, String... words) {
        assertThatThrownBy(() -> insert(body))
                .isInstanceOfSatisfying(
                        LakemillException.class, e -> assertThat(e.code()).isEqualTo(code))
                .hasMessageContainingAll(words);
    }

    @Test
    void rowsOfAnArrayAndOfLinesStandInTheTableAfterARestart() {
        open();
        assertThat(insert("[{\"event_id\":\"a\",\"trays\":1}, {\"event_id\":\"b\"}]")).isEqualTo(2);
        assertThat(insert("{\"event_id\":\"c\"}\n{\"event_id\":\"d\"}\r\n\n")).isEqualTo(2);
        assertThat(insert("{\n \"event_id\" : \"e\"\n}")).isEqualTo(1);
        node.close();
        node.open();
        assertThat(node.firsts(TABLE)).containsExactly("a", "b", "c", "d", "e");
    }

    @Test
    void manyAtOnceAreEachAnsweredOnce() throws Exception {
        open();
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var answers = new ArrayList<Future<Integer>>();
            for (int i = 0; i < 500; i++) {
                var row = "{\"event_id\":\"" + i + "\"}";
                answers.add(threads.submit(() -> insert(row)));
            }
            for (var answer : answers) {
                assertThat(answer.get()).isEqualTo(1);
            }
        }
        node.close();
        node.open();
        assertThat(node.firsts(TABLE)).hasSize(500).doesNotHaveDuplicates();
        assertThat(node.access().told())
                .contains("opened " + TABLE, "closed " + TABLE + " after 500")
                .hasSize(2);
    }

    @Test
    void firstRequestsOfAProducerThatComeAtOnceShareOneSession() throws Exception {
        open();
        for (int producer = 0; producer < 100; producer++) {
            var address = "producer " + producer;
            var start = new CountDownLatch(1);
            try (var threads = Executors.newCachedThreadPool()) {
                var answers = new ArrayList<Future<Integer>>();
                for (int i = 0; i < 4; i++) {
                    answers.add(
                            threads.submit(
                                    () -> {
                                        start.await();
                                        return insert(
                                                "{\"event_id\":\"a\"}", "Bearer token", address);
                                    }));
                }
                start.countDown();
                for (var answer : answers) {
                    assertThat(answer.get()).isEqualTo(1);
                }
            }
        }
        assertThat(node.access().told()).hasSize(100).containsOnly("opened " + TABLE);
    }

    @Test
    void aRequestWhoseSessionEndsWhileItOpensIsAnswered() {
        open();
        node.access().whileOpening(() -> node.access().refuse(TABLE));
        assertThat(insert("{\"event_id\":\"a\"}")).isEqualTo(1);
        assertThat(node.access().told())
                .containsExactly("opened " + TABLE, "closed " + TABLE + " after 1");
        assertRefused("{\"event_id\":\"b\"}", ErrorCode.PERMISSION_DENIED, "MODIFY");
    }

    @Test
    void aBadRowRefusesTheRequestByItsPlace() {
        open();
        assertRefused(
                "[{\"event_id\":\"a\"},{\"event_id\":\"b\",\"trays\":\"x\"}]",
                ErrorCode.INVALID_ARGUMENT,
                "row 1 of the request",
                "trays");
        assertRefused(
                "{\"event_id\":\"a\"}\n{\"event_id\":",
                ErrorCode.INVALID_ARGUMENT,
                "row 1",
                "line 2");
        assertRefused("[{\"event_id\":\"a\"}] 7", ErrorCode.INVALID_ARGUMENT, "after its JSON");
        assertRefused("[1]", ErrorCode.INVALID_ARGUMENT, "is not a JSON object");
        assertRefused("", ErrorCode.INVALID_ARGUMENT, "holds no record");
        assertRefused("[]", ErrorCode.INVALID_ARGUMENT, "holds no record");
        assertRefused(" ".repeat(11 << 20), ErrorCode.INVALID_ARGUMENT, "beyond the limit");
        node.close();
        node.open();
        assertThat(node.firsts(TABLE)).isEmpty();
    }

    @Test
    void whoMayNotWriteIsRefusedAlsoInTheMiddle() {
        open();
        assertThatThrownBy(() -> insert("{\"event_id\":\"a\"}", "Bearer other"))
                .hasMessageContaining("no token that is known");
        assertThat(insert("{\"event_id\":\"a\"}")).isEqualTo(1);
        node.access().refuse(TABLE);
        assertRefused("{\"event_id\":\"b\"}", ErrorCode.PERMISSION_DENIED, "MODIFY");
    }

    @Test
    void anExpiredTokenIsAskedForAgain() {
        open();
        node.access().expireAt(Instant.now().minusSeconds(1));
        insert("{\"event_id\":\"a\"}");
        insert("{\"event_id\":\"b\"}");
        assertThat(node.access().told()).filteredOn(t -> t.startsWith("opened")).hasSize(2);
    }

    @Test
    void whereNoRoomIsTheRequestComesBackAtOnce() {
        node = new Node(folder).table(TABLE, SCHEMA);
        node.with(
                        node.config()
                                .withLanding(
                                        LandingConfig.DEFAULT.with(
                                                Duration.ofHours(1), 1 << 20, 1_000)))
                .open();
        var row = "{\"event_id\":\"" + "a".repeat(2_000) + "\"}";
        insert(row);
        assertRefused(row, ErrorCode.RESOURCE_EXHAUSTED, "no room");
    }

    @Test
    void anUnknownTableIsNotFound() {
        open();
        var request = new InsertRequest("a.b.c", "Bearer token", "x", new byte[0]);
        assertThatThrownBy(() -> node.ingest().insert(request))
                .isInstanceOfSatisfying(
                        LakemillException.class,
                        e -> assertThat(e.code()).isEqualTo(ErrorCode.NOT_FOUND));
        assertThat(List.of(node.ingest().totals().requestsRefused())).containsExactly(1L);
    }
}
