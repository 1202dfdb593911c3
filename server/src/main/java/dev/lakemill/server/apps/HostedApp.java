package dev.lakemill.server.apps;

import dev.lakemill.types.Principal;
import dev.lakemill.types.Securable;
import dev.lakemill.types.SecurableType;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** An app in this process: what runs of it now. Whoever changes it holds its lock. */
final class HostedApp {
    /** As Databricks calls them. */
    enum State {
        RUNNING,
        DEPLOYING,
        CRASHED,
        UNAVAILABLE
    }

    /** What is told of an app. */
    record Status(State state, String message, boolean started) {}

    /**
     * A version that runs.
     *
     * @param process null for a static app, which has a site
     * @param secretId of the client secret that the process has; empty for none
     */
    record Running(
            int version,
            AppManifest manifest,
            @Nullable AppProcess process,
            @Nullable StaticSite site,
            String secretId) {}

    /** As long as an earlier version needs to end, and some more. */
    private static final long BEGIN_SECONDS_MAX = 30;

    private final UUID id;
    private final String name;
    private final Principal principal;
    private final AppUser user;
    private final AppLog log;
    private final String proxySecret;
    private final ReentrantLock lock = new ReentrantLock();
    private volatile @Nullable Running running;
    private volatile boolean busy;
    private volatile String problem = "";

    HostedApp(AppRow row, Principal principal, AppUser user, AppLog log, String proxySecret) {
        this.id = row.id();
        this.name = row.name();
        this.principal = principal;
        this.user = user;
        this.log = log;
        this.proxySecret = proxySecret;
    }

    UUID id() {
        return id;
    }

    String name() {
        return name;
    }

    Securable securable() {
        return new Securable(SecurableType.APP, name);
    }

    Principal principal() {
        return principal;
    }

    AppUser user() {
        return user;
    }

    AppLog log() {
        return log;
    }

    /** Goes along with each request of the proxy, and the app knows it. */
    String proxySecret() {
        return proxySecret;
    }

    @Nullable Running running() {
        return running;
    }

    void show(@Nullable Running now) {
        running = now;
        problem = "";
    }

    /** Why nothing runs of it although it should. */
    void problem(String text) {
        problem = text;
    }

    /**
     * Begins a change, after the one that goes on.
     *
     * @throws dev.lakemill.types.LakemillException FAILED_PRECONDITION when that takes too long
     */
    void begin() {
        try {
            if (!lock.tryLock(BEGIN_SECONDS_MAX, TimeUnit.SECONDS)) {
                throw Problems.precondition(
                        "the app '%s' is being changed by someone else".formatted(name),
                        "wait until its deployment has ended");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw Problems.precondition("interrupted", "try again");
        }
        busy = true;
    }

    /** By the thread that began. */
    void end() {
        busy = false;
        lock.unlock();
    }

    /** Whether somebody changes it at the moment. */
    boolean isChanging() {
        return busy;
    }

    Status status(boolean wanted) {
        var now = running;
        if (now != null) {
            return new Status(state(now), message(now), true);
        }
        if (busy) {
            return new Status(State.DEPLOYING, "its first version is being deployed", false);
        }
        if (!problem.isEmpty()) {
            return new Status(State.CRASHED, problem, wanted);
        }
        return new Status(
                State.UNAVAILABLE, wanted ? "it has no deployment" : "it is stopped", false);
    }

    private static State state(Running now) {
        var process = now.process();
        if (process == null) {
            return State.RUNNING;
        }
        return switch (process.state()) {
            case STARTING -> State.DEPLOYING;
            case RUNNING -> State.RUNNING;
            case WAITING, STOPPED -> State.UNAVAILABLE;
            case CRASHED -> State.CRASHED;
        };
    }

    private static String message(Running now) {
        var process = now.process();
        return process == null ? "serves its pages" : process.message();
    }
}
