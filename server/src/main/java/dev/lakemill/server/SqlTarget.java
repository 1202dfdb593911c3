package dev.lakemill.server;

import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Which node a command asks, and on whose account. */
final class SqlTarget {
    @Option(
            names = "--project",
            paramLabel = "DIR",
            defaultValue = ".",
            description = "folder with lakemill.yml (default: the current one)")
    private Path project;

    SqlClient client() {
        return new SqlClient(node());
    }

    Path project() {
        return project;
    }

    NodeClient node() {
        var data = Config.load(project, System.getenv()).data();
        var url = RunFile.read(data).http();
        return new NodeClient(url, NodeClient.requireToken(url, data));
    }

    /** A session of Postgres, on the same account. */
    PostgresClient postgres() {
        var data = Config.load(project, System.getenv()).data();
        var run = RunFile.read(data);
        return PostgresClient.open(run, NodeClient.local(run, data));
    }
}
