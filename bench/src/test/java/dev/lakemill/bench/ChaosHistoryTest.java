package dev.lakemill.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.bench.ChaosHistory.Change;
import dev.lakemill.bench.ChaosHistory.Event;
import dev.lakemill.bench.ChaosHistory.Transaction;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Histories that are right and wrong, held against a ledger. */
final class ChaosHistoryTest {
    private static final Change TRUNCATE = new Change("truncate", null, null);

    private static final List<Transaction> LEDGER =
            List.of(
                    transaction(1, insert(7)),
                    transaction(2, TRUNCATE),
                    transaction(3, insert(8)),
                    transaction(4, insert(9), delete(9)),
                    transaction(5, TRUNCATE));

    private static Change insert(long id) {
        return new Change("insert", id, id);
    }

    private static Change delete(long id) {
        return new Change("delete", id, null);
    }

    private static Transaction transaction(long number, Change... changes) {
        return new Transaction(number, 100 + number, List.of(changes));
    }

    /** What the history has of a transaction, or of a comparison, which is none. */
    private record Block(@Nullable Long number, List<Change> changes) {}

    private static Block of(long number) {
        return new Block(number, LEDGER.get((int) number - 1).changes());
    }

    private static Block compared(Change... changes) {
        return new Block(null, List.of(changes));
    }

    private static String differences(boolean comparable, int transactions, Block... blocks) {
        var events = new ArrayList<Event>();
        for (var block : blocks) {
            var lsn = events.size();
            var xid = block.number() == null ? null : Long.valueOf(100 + block.number());
            for (var change : block.changes()) {
                events.add(new Event(lsn, events.size(), xid, change));
            }
        }
        return ChaosHistory.differences("t", events, LEDGER.subList(0, transactions), comparable);
    }

    @Test
    void everyTransactionIsThere() {
        assertThat(differences(false, 5, of(1), of(2), of(3), of(4), of(5))).isEmpty();
        assertThat(differences(false, 4, of(1), of(2), of(3)))
                .isEqualTo("t_history lacks transaction 4 and those behind it, of 4");
        assertThat(differences(true, 3, of(1), of(2))).contains("lacks transaction 3");
        assertThat(differences(true, 4, of(1), of(2), of(4))).contains("the next is 103 (3)");
    }

    @Test
    void aComparisonPassesOverTheTransactionsUpToIt() {
        assertThat(differences(true, 4, of(1), compared(TRUNCATE, insert(8)), of(4))).isEmpty();
        assertThat(differences(true, 4, of(1), compared(TRUNCATE, insert(9)), of(4)))
                .contains("the table never was so");
        assertThat(differences(false, 4, of(1), compared(TRUNCATE, insert(8)), of(4)))
                .contains("was compared with Postgres");
    }

    /** Both truncates lead to it; the transactions between them are not missing. */
    @Test
    void aComparisonMayFindATableAsItWasBefore() {
        assertThat(differences(true, 5, of(1), compared(TRUNCATE))).isEmpty();
        assertThat(differences(true, 4, of(1), compared(TRUNCATE))).contains("lacks transaction 3");
    }

    @Test
    void aComparisonThatFindsNoDifferenceLeavesNoRows() {
        assertThat(differences(true, 5, of(1), of(2), of(3), of(5))).isEmpty();
        assertThat(differences(true, 4, of(1), of(2), of(3))).isEmpty();
        assertThat(differences(false, 5, of(1), of(2), of(3), of(5)))
                .contains("the next is 104 (4)");
    }
}
