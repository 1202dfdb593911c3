package dev.lakemill.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.feed.BatchGone;
import dev.lakemill.feed.GroupFeed;
import dev.lakemill.types.TableName;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Follows a group feed as the syncer does, outlives every process, and holds the feed to its
 * promises: batches follow one another, and what goes was there.
 */
final class Replica {
    private final Map<TableName, List<String>> tables = new TreeMap<>();
    private long batch = -1;

    /** True until the feed of a new process has been joined. */
    private boolean apart = true;

    /** The process that fed it is gone. */
    void part() {
        apart = true;
    }

    /** Takes what is there, at most {@code batchesMax}. */
    void follow(GroupFeed feed, int batchesMax) throws InterruptedException {
        if (apart && !join(feed)) {
            return;
        }
        for (int i = 0; i < batchesMax; i++) {
            try (var next = feed.await(batch + 1, Duration.ZERO)) {
                if (next == null) {
                    return;
                }
                assertThat(next.number()).isEqualTo(batch + 1);
                next.changes()
                        .forEach(
                                (name, changes) -> {
                                    var rows = tables.computeIfAbsent(name, _ -> new ArrayList<>());
                                    for (var gone : TestRows.texts(changes.deleted())) {
                                        assertThat(rows.remove(gone))
                                                .as("%s of %s was there", gone, name)
                                                .isTrue();
                                    }
                                    rows.addAll(TestRows.texts(changes.inserted()));
                                });
                batch++;
            } catch (BatchGone _) {
                apart = true;
                if (!join(feed)) {
                    return;
                }
            }
        }
    }

    long batch() {
        return batch;
    }

    List<String> rows(String table) {
        return tables.getOrDefault(TableName.parse(table), List.of());
    }

    /** Compares in full with a round that is not behind. */
    private boolean join(GroupFeed feed) {
        var round = feed.lastRound();
        if (round == null || round.number() < batch) {
            return false;
        }
        tables.clear();
        round.tables().forEach((name, snapshot) -> tables.put(name, TestWorld.texts(snapshot)));
        batch = round.number();
        apart = false;
        return true;
    }
}
