package dev.lakemill.agents.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What comes at once is written at once, and each gets its own result. */
@Timeout(300)
final class GroupCommitTest {
    private final List<List<Integer>> groups = new CopyOnWriteArrayList<>();
    private final CountDownLatch first = new CountDownLatch(1);
    private final CountDownLatch gathered = new CountDownLatch(1);

    /** The first group waits until the others have gathered behind it. */
    private List<String> write(List<Integer> group) {
        groups.add(group);
        first.countDown();
        await(gathered);
        if (group.contains(13)) {
            throw new LakemillException(ErrorCode.INVALID_ARGUMENT, "13 is bad", "");
        }
        if (group.contains(14)) {
            throw new LakemillException(ErrorCode.UNAVAILABLE, "away", "");
        }
        return group.stream().map(number -> "written " + number).toList();
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private List<Future<String>> submit(List<Integer> numbers) throws InterruptedException {
        var results = new ArrayList<Future<String>>();
        try (var account = new GroupCommit<>("test", this::write);
                var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            results.add(threads.submit(() -> account.submit(0)));
            first.await();
            for (var number : numbers) {
                results.add(threads.submit(() -> account.submit(number)));
            }
            while (account.waiting() < numbers.size()) {
                Thread.sleep(1);
            }
            gathered.countDown();
        }
        return results;
    }

    @Test
    void whatGathersWhileAGroupIsWrittenIsTheNextGroup() throws Exception {
        var results = submit(List.of(1, 2, 3, 4));
        assertThat(groups).hasSize(2);
        assertThat(groups.get(1)).containsExactlyInAnyOrder(1, 2, 3, 4);
        for (int i = 0; i < results.size(); i++) {
            assertThat(results.get(i).get()).isEqualTo("written " + i);
        }
    }

    @Test
    void whatOneBringsDoesNotFailTheOthers() throws Exception {
        var results = submit(List.of(12, 13, 15));
        assertThat(results.get(1).get()).isEqualTo("written 12");
        assertThat(results.get(3).get()).isEqualTo("written 15");
        assertThatThrownBy(() -> results.get(2).get())
                .isInstanceOf(ExecutionException.class)
                .hasMessageContaining("13 is bad");
    }

    @Test
    void withoutPostgresTheGroupFailsAtOnceAndIsNotRepeated() throws Exception {
        var results = submit(List.of(12, 14));
        for (var result : results.subList(1, 3)) {
            assertThatThrownBy(result::get).hasMessageContaining("away");
        }
        assertThat(groups).hasSize(2);
    }

    @Test
    void afterItsCloseNothingIsTaken() throws Exception {
        gathered.countDown();
        var account = new GroupCommit<>("test", this::write);
        assertThat(account.submit(1)).isEqualTo("written 1");
        account.close();
        assertThatThrownBy(() -> account.submit(2)).hasMessageContaining("closed");
        assertThat(groups).hasSize(1);
    }
}
