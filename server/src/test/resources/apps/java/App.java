import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;

void main() throws Exception {
    var port = Integer.parseInt(System.getenv("DATABRICKS_APP_PORT"));
    var server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 0);
    server.createContext(
            "/",
            exchange -> {
                var user = exchange.getRequestHeaders().getFirst("X-Forwarded-Preferred-Username");
                var bytes = ("java greets " + user).getBytes();
                exchange.sendResponseHeaders(200, bytes.length);
                exchange.getResponseBody().write(bytes);
                exchange.close();
            });
    server.start();
    IO.println("java listens");
}
