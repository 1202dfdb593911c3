package dev.lakemill.postgres;

import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;

/**
 * A Lakemill process of its own for the tests: starts Postgres, says so, and waits to be killed.
 */
final class StartPostgres {
    private StartPostgres() {}

    /**
     * Arguments: data folder, programs' folder, port. Prints Postgres's process id when it is up.
     */
    public static void main(String[] args) throws Exception {
        var config =
                new PostgresConfig(
                        null,
                        Path.of(args[0]),
                        Path.of(args[1]),
                        Integer.parseInt(args[2]),
                        "",
                        30);
        try (var postgres = Postgres.start(config)) {
            System.out.println("up " + postgres.pid().orElseThrow());
            new CountDownLatch(1).await();
        }
    }
}
