package dev.lakemill.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.catalog.AuditChain.Head;
import dev.lakemill.catalog.AuditChain.Verdict;
import dev.lakemill.catalog.AuditEvent;
import dev.lakemill.catalog.AuditFilter;
import dev.lakemill.catalog.AuditLog;
import dev.lakemill.catalog.AuditReader;
import dev.lakemill.catalog.AuditSealer;
import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Principal;
import dev.lakemill.types.PrincipalKind;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The audit records and their chain, which module {@code catalog} cannot test itself. */
final class AuditLogTest {
    private static final Caller ANNA =
            new Caller(
                    new Principal(UUID.randomUUID(), PrincipalKind.USER, "anna@farm.example"),
                    null,
                    "rest",
                    "192.0.2.7",
                    "request-1");

    @TempDir static Path folder;
    private static Postgres postgres;
    private DataSource database;
    private AuditLog audit;

    @BeforeAll
    static void start() throws Exception {
        TestFolders.open(folder);
        postgres = Postgres.start(PostgresConfig.embedded(folder.resolve("pg"), 0));
    }

    @AfterAll
    static void stop() {
        postgres.close();
    }

    /** Each test has a chain of its own, from the beginning. */
    @BeforeEach
    void open() throws SQLException {
        database = postgres.owner();
        run("DROP SCHEMA IF EXISTS lakemill CASCADE; CREATE SCHEMA lakemill");
        audit = Catalog.open(database).audit();
    }

    @AfterEach
    void close() {
        audit.close();
    }

    @Test
    void recordsStandAsTheyWereGivenAndAreSealedInOneChain() throws SQLException {
        for (var i = 0; i < 700; i++) {
            audit.record(event("getTable", Map.of("name", "farm.gold.stock", "i", "" + i)));
        }
        audit.flush();
        assertThat(seal()).isEqualTo(700);
        assertThat(seal()).isZero();
        assertThat(verify(null))
                .isInstanceOfSatisfying(
                        Verdict.Whole.class,
                        whole -> {
                            assertThat(whole.head().sequence()).isEqualTo(700);
                            assertThat(whole.unsealed()).isZero();
                        });
        assertThat(text("SELECT user_email FROM lakemill.audit WHERE request_params->>'i' = '3'"))
                .isEqualTo("anna@farm.example");
        assertThat(text("SELECT count(DISTINCT event_id) FROM lakemill.audit")).isEqualTo("700");
    }

    @Test
    void whatACallerSendsCannotKeepItsRecordOut() throws SQLException {
        var hostile = "a\0b\uD800" + "x".repeat(100_000);
        audit.record(event("open\0Stream", Map.of(hostile, hostile, "k", "\0")));
        audit.flush();
        assertThat(text("SELECT action_name FROM lakemill.audit")).isEqualTo("open\uFFFDStream");
        assertThat(
                        text(
                                "SELECT max(length(value)) FROM lakemill.audit, jsonb_each_text("
                                        + "request_params)"))
                .isEqualTo("4097");
    }

    @Test
    void recordsAreReadNewestFirstInPagesAndSealedOnesInTheOrderOfTheChain() throws SQLException {
        sealedRecords(25);
        audit.record(event("dropTable", Map.of("i", "25")));
        audit.flush();
        var reader = new AuditReader(database);
        var seen = new ArrayList<String>();
        var token = "";
        do {
            var page = reader.events(AuditFilter.ALL, 10, token);
            page.records().forEach(r -> seen.add(r.parameters().get("i")));
            token = page.nextToken();
        } while (!token.isEmpty());
        assertThat(seen).hasSize(26).startsWith("25", "24").endsWith("1", "0");
        var drops = new AuditFilter(Instant.EPOCH, Instant.now(), "", "unityCatalog", "dropTable");
        assertThat(reader.events(drops, 10, "").records())
                .singleElement()
                .satisfies(r -> assertThat(r.sequence()).isZero());
        assertThat(reader.sealedAfter(3, 20))
                .hasSize(20)
                .first()
                .satisfies(
                        r -> {
                            assertThat(r.sequence()).isEqualTo(4);
                            assertThat(r.parameters()).containsEntry("i", "3");
                            assertThat(r.email()).isEqualTo("anna@farm.example");
                        });
        assertThat(
                        text(
                                """
                                SELECT user_identity->>'email' FROM lakemill.access_audit
                                WHERE sequence = 1
                                """))
                .isEqualTo("anna@farm.example");
        assertThatThrownBy(() -> reader.events(AuditFilter.ALL, 10, "1; DROP"))
                .hasMessageContaining("no page token");
    }

    @Test
    void aRecordInATransactionStandsOnlyIfThatCommits() throws SQLException {
        try (var connection = database.getConnection()) {
            connection.setAutoCommit(false);
            audit.record(connection, event("updatePermissions", Map.of()));
            connection.rollback();
            audit.record(connection, event("createTable", Map.of()));
            connection.commit();
            connection.setAutoCommit(true);
        }
        assertThat(text("SELECT string_agg(action_name, ',') FROM lakemill.audit"))
                .isEqualTo("createTable");
    }

    @Test
    void recordsAreNeitherChangedNorDeleted() {
        audit.record(event("getTable", Map.of()));
        audit.flush();
        seal();
        for (var change :
                List.of(
                        "UPDATE lakemill.audit SET user_email = 'nobody'",
                        "DELETE FROM lakemill.audit",
                        "TRUNCATE lakemill.audit",
                        "UPDATE lakemill.audit_seals SET number = 7",
                        "DELETE FROM lakemill.audit_seals",
                        "SET session_replication_role = replica; DELETE FROM lakemill.audit")) {
            assertThatThrownBy(() -> run(change)).hasMessageContaining("never changed or deleted");
        }
    }

    @Test
    void manyWritersBesideTwoSealersMakeOneWholeChain() throws Exception {
        try (var threads = Executors.newVirtualThreadPerTaskExecutor();
                var first = AuditSealer.start(database, List.of(AuditLog.CHAIN));
                var second = AuditSealer.start(database, List.of(AuditLog.CHAIN))) {
            var work = new ArrayList<Callable<Integer>>();
            for (var writer = 0; writer < 4; writer++) {
                work.add(this::writeInTransactions);
            }
            for (var i = 0; i < 2_000; i++) {
                audit.record(event("getTable", Map.of("i", "" + i)));
                if (i % 100 == 0) {
                    seal();
                }
            }
            for (var done : threads.invokeAll(work)) {
                done.get();
            }
            audit.flush();
            assertThat(first).isNotSameAs(second);
        }
        assertThat(verify(null))
                .isInstanceOfSatisfying(
                        Verdict.Whole.class,
                        whole -> {
                            assertThat(whole.head().sequence()).isEqualTo(2_000 + 4 * 50 * 3);
                            assertThat(whole.unsealed()).isZero();
                        });
    }

    private int writeInTransactions() throws SQLException {
        try (var connection = postgres.ownerUnpooled().getConnection()) {
            connection.setAutoCommit(false);
            for (var i = 0; i < 50; i++) {
                for (var j = 0; j < 3; j++) {
                    audit.record(connection, event("createTable", Map.of("j", "" + j)));
                }
                connection.commit();
            }
            return 0;
        }
    }

    /**
     * The hazard of a plain sequence: a lower number that commits after a higher one was sealed.
     */
    @Test
    void aTransactionThatBeganEarlyAndCommitsLateComesLaterInTheChain() throws SQLException {
        try (var early = postgres.ownerUnpooled().getConnection()) {
            early.setAutoCommit(false);
            audit.record(early, event("early", Map.of()));
            audit.record(event("late", Map.of()));
            audit.flush();
            assertThat(seal()).as("the oldest transaction still runs").isZero();
            early.commit();
        }
        audit.record(event("last", Map.of()));
        audit.flush();
        assertThat(seal()).isEqualTo(3);
        assertThat(verify(null)).isInstanceOf(Verdict.Whole.class);
        assertThat(
                        text(
                                "SELECT string_agg(action_name, ',' ORDER BY sequence)"
                                        + " FROM lakemill.audit JOIN lakemill.audit_seals USING (number)"))
                .isEqualTo("early,late,last");
    }

    @Test
    void aNumberTakenEarlyByATransactionThatBeginsToWriteLateDoesNotBreakTheChain()
            throws SQLException {
        try (var slow = postgres.ownerUnpooled().getConnection()) {
            run("SELECT nextval('lakemill.audit_number_seq')");
            slow.setAutoCommit(false);
            one(slow, "SELECT nextval('lakemill.audit_number_seq')");
            audit.record(event("before", Map.of()));
            audit.flush();
            assertThat(seal()).isEqualTo(1);
            one(
                    slow,
                    """
                    INSERT INTO lakemill.audit OVERRIDING SYSTEM VALUE
                    SELECT pg_current_xact_id(), 2, gen_random_uuid(), now(), '2.0', '', '', '',
                        '', '', '', 'slow', '', '{}', 200, '', '', '', '', '' RETURNING number
                    """);
            slow.commit();
        }
        assertThat(seal()).isEqualTo(1);
        assertThat(verify(null)).isInstanceOf(Verdict.Whole.class);
    }

    @Test
    void aKillOfPostgresLosesNoRecordAndTheChainGoesOn() throws Exception {
        var committed = 0;
        try (var _ = AuditSealer.start(database, List.of(AuditLog.CHAIN))) {
            for (var i = 0; i < 3_000; i++) {
                audit.record(event("queued", Map.of("i", "" + i)));
                if (i == 1_500) {
                    ProcessHandle.of(postgres.pid().orElseThrow()).orElseThrow().destroyForcibly();
                }
                committed += i % 10 == 0 ? writeOne() : 0;
            }
            flushWhenPostgresIsBack();
        }
        assertThat(text("SELECT count(*) FROM lakemill.audit WHERE action_name = 'queued'"))
                .isEqualTo("3000");
        assertThat(
                        Integer.parseInt(
                                text(
                                        """
                                        SELECT count(*) FROM lakemill.audit
                                        WHERE action_name = 'direct'
                                        """)))
                .isGreaterThanOrEqualTo(committed);
        audit.record(event("after", Map.of()));
        audit.flush();
        seal();
        assertThat(verify(null))
                .isInstanceOfSatisfying(
                        Verdict.Whole.class, w -> assertThat(w.unsealed()).isZero());
    }

    /** A flush waits for ten seconds, in which a busy machine starts no Postgres. */
    private void flushWhenPostgresIsBack() {
        for (var attempt = 1; ; attempt++) {
            try {
                audit.flush();
                return;
            } catch (LakemillException e) {
                if (attempt == 6) {
                    throw e;
                }
            }
        }
    }

    /** Returns how many records were committed for sure. */
    private int writeOne() {
        try (var connection = postgres.ownerUnpooled().getConnection()) {
            connection.setAutoCommit(false);
            audit.record(connection, event("direct", Map.of()));
            connection.commit();
            return 1;
        } catch (SQLException _) {
            return 0;
        }
    }

    @Test
    void verifyNamesTheFirstRecordThatWasChanged() throws SQLException {
        sealedRecords(10);
        tamper("UPDATE lakemill.audit SET status_code = 403 WHERE request_params->>'i' = '4'");
        tamper("UPDATE lakemill.audit SET status_code = 403 WHERE request_params->>'i' = '7'");
        broken(5, "was changed");
    }

    @Test
    void verifyFindsARecordThatWasDeletedOrMovedAndASealThatWasChanged() throws SQLException {
        sealedRecords(10);
        tamper("DELETE FROM lakemill.audit WHERE request_params->>'i' = '6'");
        broken(7, "missing");
        tamper("UPDATE lakemill.audit_seals SET number = 999 WHERE sequence = 3");
        broken(3, "missing");
        tamper("UPDATE lakemill.audit SET transaction_id = '9' WHERE request_params->>'i' = '1'");
        broken(1, "slipped in");
    }

    @Test
    void verifyFindsARecordThatWasSlippedIn() throws SQLException {
        sealedRecords(5);
        run(
                """
                INSERT INTO lakemill.audit OVERRIDING SYSTEM VALUE
                SELECT transaction_id, number - 1000, gen_random_uuid(), event_time, version, '',
                    '', '', 'mallory', '', '', '', '', '{}', 200, '', '', '', '', ''
                FROM lakemill.audit WHERE request_params->>'i' = '2'
                """);
        assertThat(verify(null))
                .isInstanceOfSatisfying(
                        Verdict.Broken.class, b -> assertThat(b.problem()).contains("slipped in"));
    }

    @Test
    void verifyFindsATailThatWasCutOff() throws SQLException {
        sealedRecords(10);
        tamper("DELETE FROM lakemill.audit_seals WHERE sequence = 10");
        tamper("DELETE FROM lakemill.audit WHERE request_params->>'i' = '9'");
        broken(9, "missing");
    }

    @Test
    void anOlderHeadFindsAChainThatWasRewrittenWhole() throws SQLException {
        var head = sealedRecords(10);
        assertThat(verify(head)).isInstanceOf(Verdict.Whole.class);
        tamper("UPDATE lakemill.audit SET user_email = 'else' WHERE request_params->>'i' = '1'");
        tamper("DELETE FROM lakemill.audit_seals");
        run(
                "UPDATE lakemill.audit_chains SET sequence = 0, number = 0, transaction_id = '0',"
                        + " hash = decode(repeat('00', 32), 'hex')");
        assertThat(seal()).isEqualTo(10);
        assertThat(verify(null)).isInstanceOf(Verdict.Whole.class);
        assertThat(verify(head)).isInstanceOf(Verdict.Broken.class);
        assertThat(verify(new Head(11, head.hash()))).isInstanceOf(Verdict.Broken.class);
    }

    /** So many records, each of a transaction of its own, sealed. */
    private Head sealedRecords(int count) {
        for (var i = 0; i < count; i++) {
            audit.record(event("getTable", Map.of("i", "" + i)));
            audit.flush();
        }
        seal();
        return ((Verdict.Whole) verify(null)).head();
    }

    private void broken(long sequence, String problem) {
        assertThat(verify(null))
                .isInstanceOfSatisfying(
                        Verdict.Broken.class,
                        b -> {
                            assertThat(b.sequence()).isEqualTo(sequence);
                            assertThat(b.problem()).contains(problem);
                        });
    }

    /** As one who owns the database may: past the triggers. */
    private void tamper(String sql) throws SQLException {
        run(
                """
                ALTER TABLE lakemill.audit DISABLE TRIGGER USER;
                ALTER TABLE lakemill.audit_seals DISABLE TRIGGER USER;
                %s;
                ALTER TABLE lakemill.audit ENABLE ALWAYS TRIGGER append_only,
                    ENABLE ALWAYS TRIGGER kept;
                ALTER TABLE lakemill.audit_seals ENABLE ALWAYS TRIGGER append_only,
                    ENABLE ALWAYS TRIGGER kept;
                """
                        .formatted(sql));
    }

    private int seal() {
        return AuditLog.CHAIN.seal(database, 5_000);
    }

    private Verdict verify(@Nullable Head known) {
        return AuditLog.CHAIN.verify(database, known);
    }

    private static AuditEvent event(String action, Map<String, String> parameters) {
        return AuditEvent.done(ANNA, "unityCatalog", action, parameters);
    }

    private void run(String sql) throws SQLException {
        try (var connection = postgres.ownerUnpooled().getConnection();
                var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private String text(String sql) throws SQLException {
        try (var connection = database.getConnection()) {
            return one(connection, sql);
        }
    }

    private static String one(Connection connection, String sql) throws SQLException {
        try (var statement = connection.createStatement();
                var rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getString(1);
        }
    }
}
