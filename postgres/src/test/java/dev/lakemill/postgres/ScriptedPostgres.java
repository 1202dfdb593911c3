package dev.lakemill.postgres;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/** A server that says to be a Postgres of some version, and agrees to whatever it is told. */
final class ScriptedPostgres implements AutoCloseable {
    private static final int PROTOCOL_3 = 3 << 16;

    private final ServerSocket server;
    private final String version;

    ScriptedPostgres(String version) throws IOException {
        this.version = version;
        this.server = new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
        Thread.ofVirtual().start(this::accept);
    }

    String url() {
        return ("jdbc:postgresql://127.0.0.1:%d/x?user=u&password=p&sslmode=disable"
                        + "&gssEncMode=disable")
                .formatted(server.getLocalPort());
    }

    private void accept() {
        try {
            while (true) {
                var socket = server.accept();
                Thread.ofVirtual().start(() -> serve(socket));
            }
        } catch (IOException e) {
            // Closed.
        }
    }

    private void serve(Socket socket) {
        try (socket) {
            var in = new DataInputStream(socket.getInputStream());
            var out = new DataOutputStream(socket.getOutputStream());
            var length = in.readInt();
            if (in.readInt() >> 16 != PROTOCOL_3 >> 16) {
                return;
            }
            in.skipNBytes(length - 8);
            out.write('R');
            out.writeInt(8);
            out.writeInt(0);
            status(out, "server_version", version);
            status(out, "client_encoding", "UTF8");
            status(out, "DateStyle", "ISO, MDY");
            status(out, "integer_datetimes", "on");
            status(out, "standard_conforming_strings", "on");
            ready(out);
            while (true) {
                var type = in.read();
                if (type < 0 || type == 'X') {
                    return;
                }
                in.skipNBytes(in.readInt() - 4);
                answer(type, out);
            }
        } catch (IOException e) {
            // The client is gone.
        }
    }

    private static void answer(int type, DataOutputStream out) throws IOException {
        switch (type) {
            case 'P' -> empty(out, '1');
            case 'B' -> empty(out, '2');
            case 'D' -> empty(out, 'n');
            case 'E' -> complete(out);
            case 'S' -> ready(out);
            case 'Q' -> {
                complete(out);
                ready(out);
            }
            default -> out.flush();
        }
    }

    private static void empty(DataOutputStream out, char type) throws IOException {
        out.write(type);
        out.writeInt(4);
    }

    private static void complete(DataOutputStream out) throws IOException {
        out.write('C');
        out.writeInt(8);
        out.write("SET\0".getBytes(StandardCharsets.US_ASCII));
    }

    private static void status(DataOutputStream out, String name, String value) throws IOException {
        var text = (name + "\0" + value + "\0").getBytes(StandardCharsets.US_ASCII);
        out.write('S');
        out.writeInt(4 + text.length);
        out.write(text);
    }

    private static void ready(DataOutputStream out) throws IOException {
        out.write('Z');
        out.writeInt(5);
        out.write('I');
        out.flush();
    }

    @Override
    public void close() throws IOException {
        server.close();
    }
}
