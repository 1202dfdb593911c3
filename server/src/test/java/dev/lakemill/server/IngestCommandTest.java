package dev.lakemill.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.Securable;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code ./lakemill ingest send} against a whole node, and the policies that tags make. */
final class IngestCommandTest {
    private static final TableName TABLE = TableName.parse("shop.bronze.orders");
    private static final TableName LETTERS = TableName.parse("shop.bronze.letters");

    @TempDir static Path folder;
    private static TestNode node;

    @BeforeAll
    static void start() throws Exception {
        node = new TestNode(folder, Map.of());
        node.register(
                TABLE,
                TableSchema.of(
                        Column.required("order_id", Primitive.STRING),
                        Column.nullable("items", Primitive.INTEGER)));
        node.register(
                LETTERS,
                TableSchema.of(
                        Column.required("payload", Primitive.STRING),
                        Column.required("error", Primitive.STRING)));
    }

    @AfterAll
    static void stop() {
        node.close();
    }

    private record Ran(int status, String out, String err) {}

    private static Ran send(Path file, String... more) {
        var out = new StringWriter();
        var err = new StringWriter();
        var arguments = new ArrayList<String>();
        arguments.addAll(java.util.List.of("ingest", "send", "--table", TABLE.toString()));
        arguments.addAll(java.util.List.of("--grpc", "http://" + RunFile.read(node.data).grpc()));
        arguments.addAll(java.util.List.of("--project", folder.toString()));
        arguments.addAll(java.util.List.of(more));
        arguments.add(file.toString());
        var status =
                Main.commandLine()
                        .setOut(new PrintWriter(out))
                        .setErr(new PrintWriter(err))
                        .execute(arguments.toArray(String[]::new));
        return new Ran(status, out.toString(), err.toString());
    }

    @Test
    void linesAreSentAndRejectsToldByTheirNumbers() throws Exception {
        var lines = new StringBuilder();
        for (int i = 1; i <= 1_000; i++) {
            lines.append(
                    i % 400 == 0
                            ? "{\"order_id\":" + i + "}\n"
                            : "{\"order_id\":\"" + i + "\",\"items\":1}\n");
        }
        var file = Files.writeString(folder.resolve("rows.ndjson"), lines);
        var rejects = folder.resolve("rejects.ndjson");
        var before = node.node().ingest().totals().rows();
        var ran = send(file, "--batch-rows", "100", "--rejects", rejects.toString());
        assertThat(ran.status()).as(ran.err()).isEqualTo(1);
        assertThat(ran.out()).contains("998 rows on disk", "2 lines rejected");
        assertThat(ran.err()).contains("line 400: column 'order_id'", "line 800: ");
        assertThat(Files.readString(rejects)).isEqualTo("{\"order_id\":400}\n{\"order_id\":800}\n");
        assertThat(node.node().ingest().totals().rows() - before).isGreaterThanOrEqualTo(998);
    }

    @Test
    void whatTheServerRefusesAsAWholeEndsIt() throws Exception {
        var file = Files.writeString(folder.resolve("one.ndjson"), "{\"order_id\":\"a\"}\n");
        assertThat(send(file, "--table", "shop.bronze.none").status()).isNotZero();
        assertThat(send(file).out()).contains("1 rows on disk");
        assertThat(send(file, "--batch-rows", "0").err()).contains("--batch-rows");
    }

    @Test
    void streamsAndLandingsStandInTablesOfTheSystem() throws Exception {
        var file = Files.writeString(folder.resolve("history.ndjson"), "{\"order_id\":\"h\"}\n");
        assertThat(send(file).status()).isZero();
        var catalog = node.node().catalog();
        var postgres = node.node().postgres().owner();
        var tables = IngestHistoryTables.of(catalog, postgres);
        var until = System.nanoTime() + 120_000_000_000L;
        var landed = tables.get(1).producer().rows(catalog.system()).toList();
        while (landed.isEmpty() && System.nanoTime() < until) {
            Thread.sleep(100);
            landed = tables.get(1).producer().rows(catalog.system()).toList();
        }
        assertThat(landed.getFirst()).contains(TABLE.toString());
        assertThat(landed.getFirst()).hasSize(tables.get(1).schema().size());
        var streams = tables.get(0).producer().rows(catalog.system()).toList();
        assertThat(streams.getFirst()).contains(TABLE.toString(), "GRPC", "JSON");
        assertThat(streams.getFirst()).hasSize(tables.get(0).schema().size());
    }

    @Test
    void tagsSayWhatBecomesOfBadRows() {
        var catalog = node.node().catalog();
        var policies = new TagPolicies(catalog);
        var table = catalog.find(TABLE).orElseThrow();
        var on = Securable.table(TABLE);
        assertThat(policies.of(table).deadLetters()).isEmpty();
        catalog.tags()
                .set(catalog.system(), on, "", Map.of("zerobus_dead_letter", LETTERS.toString()));
        catalog.tags().set(catalog.system(), on, "items", Map.of("zerobus_rescue", ""));
        var policy = policies.of(table);
        assertThat(policy.deadLetters()).contains(LETTERS);
        assertThat(policy.rescueColumn()).contains("items");
        catalog.tags().unset(catalog.system(), on, "items", java.util.Set.of("zerobus_rescue"));
        catalog.tags().unset(catalog.system(), on, "", java.util.Set.of("zerobus_dead_letter"));
    }
}
