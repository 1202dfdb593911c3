package dev.lakemill.farm.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

final class UserWatchTest {
    /** Longer than the watch rests between two looks for its listeners. */
    private static final long SLOW_MS = 2_000;

    private final CountDownLatch closed = new CountDownLatch(1);
    private volatile boolean slow;

    /** Stands in for a connection that allows everything, and may take its time. */
    private <T> T fake(Class<T> type, InvocationHandler calls) {
        return type.cast(
                Proxy.newProxyInstance(
                        UserWatchTest.class.getClassLoader(), new Class<?>[] {type}, calls));
    }

    private Connection connection() {
        var rows = fake(ResultSet.class, (_, _, _) -> true);
        var query =
                fake(
                        PreparedStatement.class,
                        (_, method, _) -> method.getName().equals("executeQuery") ? rows : null);
        return fake(
                Connection.class,
                (_, method, _) -> {
                    switch (method.getName()) {
                        case "prepareStatement" -> {
                            if (slow) {
                                closed.await(SLOW_MS, TimeUnit.MILLISECONDS);
                            }
                            return query;
                        }
                        case "close" -> closed.countDown();
                        default -> throw new AssertionError(method);
                    }
                    return null;
                });
    }

    /** A page that comes when the last one has just gone keeps the connection that it asks by. */
    @Test
    void whoComesWhenTheLastHasGoneKeepsTheWatchOpen() throws Exception {
        var tables = LiveTable.named(List.of("serving.tray_cost"));
        var watch = new UserWatch(connection(), _ -> {});
        var first = new LiveListener(tables);
        assertThat(watch.add(first)).isTrue();
        watch.start("somebody");
        watch.remove(first);
        slow = true;
        var second = new LiveListener(tables);
        assertThat(watch.add(second)).isTrue();
        assertThat(closed.getCount()).as("not closed").isEqualTo(1);
        assertThat(second.hasEnded()).isFalse();
        slow = false;
        watch.remove(second);
        assertThat(closed.await(1, TimeUnit.MINUTES)).as("closed when nobody listens").isTrue();
        assertThat(watch.add(new LiveListener(tables))).isFalse();
    }
}
