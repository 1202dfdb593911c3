package dev.lakemill.server;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** HTTP byte by byte: hosts, headers and paths that a client library would not send. */
final class AppHttp implements AutoCloseable {
    private static final int WAIT_MS_MAX = 120_000;

    /** An answer, with all of its headers as they came. */
    record Answer(int status, List<String> headers, String body) {
        /** Of the first header of the name, or empty. */
        String header(String name) {
            return all(name).isEmpty() ? "" : all(name).getFirst();
        }

        List<String> all(String name) {
            var start = name.toLowerCase(Locale.ROOT) + ":";
            return headers.stream()
                    .filter(line -> line.toLowerCase(Locale.ROOT).startsWith(start))
                    .map(line -> line.substring(start.length()).strip())
                    .toList();
        }
    }

    private final Socket socket;
    private final InputStream in;

    private AppHttp(String url) throws IOException {
        var uri = URI.create(url);
        socket = new Socket(uri.getHost(), uri.getPort());
        socket.setSoTimeout(WAIT_MS_MAX);
        in = new BufferedInputStream(socket.getInputStream());
    }

    /** Sends a request and leaves the connection open. */
    static AppHttp open(String url, String method, String host, String path, String... headers)
            throws IOException {
        var opened = new AppHttp(url);
        var text =
                new StringBuilder("%s %s HTTP/1.1\r\nHost: %s\r\n".formatted(method, path, host));
        for (int i = 0; i < headers.length; i += 2) {
            text.append(headers[i]).append(": ").append(headers[i + 1]).append("\r\n");
        }
        opened.write(text.append("\r\n").toString());
        return opened;
    }

    /** One request, one answer. */
    static Answer get(String url, String host, String path, String... headers) throws IOException {
        return send(url, "GET", host, path, "", headers);
    }

    static Answer send(
            String url, String method, String host, String path, String body, String... headers)
            throws IOException {
        var all = new ArrayList<>(List.of(headers));
        all.addAll(List.of("Connection", "close"));
        if (!body.isEmpty()) {
            all.addAll(List.of("Content-Length", Integer.toString(body.length())));
        }
        try (var http = open(url, method, host, path, all.toArray(String[]::new))) {
            http.write(body);
            return http.answer();
        }
    }

    void write(String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
        socket.getOutputStream().flush();
    }

    /** Without its line end; empty at the end of the stream. */
    String line() throws IOException {
        var line = new ByteArrayOutputStream();
        for (int c = in.read(); c >= 0 && c != '\n'; c = in.read()) {
            if (c != '\r') {
                line.write(c);
            }
        }
        return line.toString(StandardCharsets.UTF_8);
    }

    /** Status and headers. */
    Answer head() throws IOException {
        var first = line();
        var headers = new ArrayList<String>();
        for (var line = line(); !line.isEmpty(); line = line()) {
            headers.add(line);
        }
        if (first.isEmpty()) {
            throw new IOException("the connection ended without an answer");
        }
        return new Answer(Integer.parseInt(first.split(" ")[1]), headers, "");
    }

    Answer answer() throws IOException {
        var head = head();
        var body = new ByteArrayOutputStream();
        if (head.header("transfer-encoding").equals("chunked")) {
            for (var size = size(); size > 0; size = size()) {
                body.write(in.readNBytes(size));
                line();
            }
        } else if (!head.header("content-length").isEmpty()) {
            body.write(in.readNBytes(Integer.parseInt(head.header("content-length"))));
        } else {
            body.write(in.readAllBytes());
        }
        return new Answer(head.status(), head.headers(), body.toString(StandardCharsets.UTF_8));
    }

    private int size() throws IOException {
        var line = line();
        return line.isEmpty() ? 0 : Integer.parseInt(line, 16);
    }

    /** Waits for the other end to close. */
    boolean ends() throws IOException {
        try {
            while (in.read() >= 0) {
                // What still came.
            }
            return true;
        } catch (java.net.SocketTimeoutException e) {
            return false;
        } catch (IOException e) {
            return true;
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
