package dev.lakemill.farm.app;

import dev.lakemill.api.ClientCredentials;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Path;
import java.util.Map;

/**
 * The application as a process. Its only argument is the folder of its pages; everything else the
 * node's environment says: {@code DATABRICKS_APP_PORT}, {@code DATABRICKS_CLIENT_ID} and {@code
 * DATABRICKS_CLIENT_SECRET}, {@code PGHOST} and its like, {@code LAKEMILL_URL} and {@code
 * LAKEMILL_PROXY_SECRET}.
 */
public final class FarmApp implements AutoCloseable {
    private final AppServer server;
    private final Live live;

    private FarmApp(AppServer server, Live live) {
        this.server = server;
        this.live = live;
    }

    /** Runs until SIGTERM. */
    public static void main(String[] arguments) throws IOException {
        var app = start(Path.of(arguments[0]), System.getenv());
        Runtime.getRuntime().addShutdownHook(new Thread(app::close, "close"));
        System.out.println("serves at port " + app.port());
    }

    /**
     * Serves at once; it needs Postgres only when somebody asks for something.
     *
     * @throws IllegalArgumentException when a variable is missing
     */
    static FarmApp start(Path pages, Map<String, String> environment) throws IOException {
        var node = URI.create(variable(environment, "LAKEMILL_URL"));
        var token =
                new ClientCredentials(
                        node.resolve("/oidc/v1/token"),
                        variable(environment, "DATABRICKS_CLIENT_ID"),
                        variable(environment, "DATABRICKS_CLIENT_SECRET"));
        var database = new Database(url(environment), variable(environment, "PGUSER"), token);
        var live = Live.start(database, new NodeRate(node, token));
        var port = Integer.parseInt(variable(environment, "DATABRICKS_APP_PORT"));
        var server =
                AppServer.start(
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), port),
                        variable(environment, "LAKEMILL_PROXY_SECRET"),
                        new AppServer.Parts(
                                Pages.read(pages),
                                new LiveStreams(live, database),
                                database,
                                new Models(node, token)));
        return new FarmApp(server, live);
    }

    private static String url(Map<String, String> environment) {
        return "jdbc:postgresql://%s:%s/%s?sslmode=%s&ApplicationName=%s"
                .formatted(
                        variable(environment, "PGHOST"),
                        variable(environment, "PGPORT"),
                        variable(environment, "PGDATABASE"),
                        environment.getOrDefault("PGSSLMODE", "prefer"),
                        environment.getOrDefault("PGAPPNAME", "vertical-farm"));
    }

    private static String variable(Map<String, String> environment, String name) {
        var value = environment.get(name);
        if (value == null || value.isEmpty()) {
            throw new IllegalArgumentException(
                    name + " is not set: a node that hosts this app sets it");
        }
        return value;
    }

    int port() {
        return server.port();
    }

    /** Ends the streams, and lets requests end that have begun. */
    @Override
    public void close() {
        live.close();
        server.close();
    }
}
