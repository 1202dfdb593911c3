package dev.lakemill.server.apps;

/**
 * How an app fares, for those who watch the node.
 *
 * @param isStarted whether a version of it is to run
 * @param restarts of the version that runs
 * @param memoryBytes of all its processes; 0 for a static app
 */
public record AppUsage(
        String name, boolean isStarted, boolean isRunning, int restarts, long memoryBytes) {
    static AppUsage of(HostedApp app) {
        var status = app.status(true);
        var running = app.running();
        var process = running == null ? null : running.process();
        return new AppUsage(
                app.name(),
                status.started(),
                status.state() == HostedApp.State.RUNNING,
                process == null ? 0 : process.restarts(),
                process == null ? 0 : process.residentBytes());
    }
}
