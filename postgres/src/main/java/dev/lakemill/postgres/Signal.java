package dev.lakemill.postgres;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** What Postgres understands when told to stop; the JDK can send only TERM and KILL. */
enum Signal {
    /** Fast: open transactions are rolled back, then a clean shutdown. */
    FAST_SHUTDOWN(2),
    /** Immediate: no checkpoint, recovery at the next start. */
    IMMEDIATE_SHUTDOWN(3),
    KILL(9);

    private static final MethodHandle KILL_FUNCTION = killFunction();

    private final int number;

    Signal(int number) {
        this.number = number;
    }

    /** Sends it; a process that is gone already is no error. */
    void send(long pid) {
        try {
            var _ = (int) KILL_FUNCTION.invokeExact((int) pid, number);
        } catch (Throwable e) {
            throw new IllegalStateException("kill(%d, %d) failed".formatted(pid, number), e);
        }
    }

    /** Sends fast, then immediate, then kill, until the process is gone. */
    static void end(ProcessHandle process, Duration fastMax, Duration immediateMax) {
        FAST_SHUTDOWN.send(process.pid());
        if (!awaitExit(process, fastMax)) {
            IMMEDIATE_SHUTDOWN.send(process.pid());
            if (!awaitExit(process, immediateMax)) {
                KILL.send(process.pid());
                awaitExit(process, immediateMax);
            }
        }
    }

    static boolean awaitExit(ProcessHandle process, Duration max) {
        try {
            process.onExit().get(max.toMillis(), TimeUnit.MILLISECONDS);
            return true;
        } catch (TimeoutException | ExecutionException e) {
            return !process.isAlive();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return !process.isAlive();
        }
    }

    @SuppressWarnings("restricted")
    private static MethodHandle killFunction() {
        var linker = Linker.nativeLinker();
        return linker.downcallHandle(
                linker.defaultLookup().findOrThrow("kill"),
                FunctionDescriptor.of(
                        ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
    }
}
