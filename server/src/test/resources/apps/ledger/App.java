import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.sql.DriverManager;
import java.util.Base64;

static String env(String name) {
    return System.getenv(name);
}

/** Of the app's own principal, as Databricks' SDK asks for it. */
static String token() throws Exception {
    var secret = env("DATABRICKS_CLIENT_ID") + ":" + env("DATABRICKS_CLIENT_SECRET");
    var request =
            HttpRequest.newBuilder(URI.create(env("DATABRICKS_HOST") + "/oidc/v1/token"))
                    .header(
                            "authorization",
                            "Basic " + Base64.getEncoder().encodeToString(secret.getBytes()))
                    .header("content-type", "application/x-www-form-urlencoded")
                    .POST(
                            HttpRequest.BodyPublishers.ofString(
                                    "grant_type=client_credentials&scope=all-apis"))
                    .build();
    try (var client = HttpClient.newHttpClient()) {
        var body = client.send(request, BodyHandlers.ofString()).body();
        return body.replaceAll("(?s).*\"access_token\"\\s*:\\s*\"([^\"]+)\".*", "$1");
    }
}

static String sql(String statement) {
    var url = "jdbc:postgresql://%s/%s?sslmode=%s"
            .formatted(env("DATABASE"), env("PGDATABASE"), env("PGSSLMODE"));
    try (var connection = DriverManager.getConnection(url, env("PGUSER"), token());
            var made = connection.createStatement()) {
        if (!made.execute(statement)) {
            return "done";
        }
        made.getResultSet().next();
        return made.getResultSet().getString(1);
    } catch (Exception e) {
        return "failed: " + e.getMessage();
    }
}

void main() throws Exception {
    var port = Integer.parseInt(env("DATABRICKS_APP_PORT"));
    var server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 0);
    server.createContext(
            "/",
            exchange -> {
                var told =
                        switch (exchange.getRequestURI().getPath()) {
                            case "/make" ->
                                    sql("CREATE TABLE IF NOT EXISTS ledger.entries (id int PRIMARY KEY)");
                            case "/write" -> sql("INSERT INTO ledger.entries VALUES (5)");
                            case "/sum" -> sql("SELECT sum(id) FROM ledger.entries");
                            case "/other" -> sql("SELECT count(*) FROM vault.gold");
                            case "/secret" -> env("SECRET");
                            default -> "ok";
                        };
                exchange.sendResponseHeaders(200, told.getBytes().length);
                exchange.getResponseBody().write(told.getBytes());
                exchange.close();
            });
    server.start();
}
