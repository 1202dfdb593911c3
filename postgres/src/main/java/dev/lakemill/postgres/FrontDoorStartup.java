package dev.lakemill.postgres;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/** The first packet of a connection: what the client is here for. */
sealed interface FrontDoorStartup {
    record TlsRequest() implements FrontDoorStartup {}

    record GssRequest() implements FrontDoorStartup {}

    record Cancel(int pid, byte[] key) implements FrontDoorStartup {}

    /** Names and values as sent; of a name that is sent twice, the last. */
    record Start(int minor, Map<String, String> parameters) implements FrontDoorStartup {}

    int HEAD_BYTES = 8;

    /** A cancel key has 4 bytes, from protocol 3.2 on up to 256. */
    int CANCEL_KEY_BYTES_MAX = 256;

    static FrontDoorStartup read(FrontDoorLine line, int bytesMax)
            throws IOException, FrontDoorRefusal {
        var length = line.readInt();
        if (length < HEAD_BYTES || length > bytesMax) {
            throw violation("a startup packet has %d to %d bytes".formatted(HEAD_BYTES, bytesMax));
        }
        var code = line.readInt();
        var rest = line.read(length - HEAD_BYTES);
        return switch (code) {
            case FrontDoorMessages.TLS_REQUEST -> new TlsRequest();
            case FrontDoorMessages.GSS_REQUEST -> new GssRequest();
            case FrontDoorMessages.CANCEL_REQUEST -> cancel(rest);
            default -> start(code, rest);
        };
    }

    private static Cancel cancel(byte[] rest) throws FrontDoorRefusal {
        var key = rest.length - 4;
        if (key < 1 || key > CANCEL_KEY_BYTES_MAX) {
            throw violation("a cancel key has 1 to %d bytes".formatted(CANCEL_KEY_BYTES_MAX));
        }
        return new Cancel(ByteBuffer.wrap(rest).getInt(), Arrays.copyOfRange(rest, 4, rest.length));
    }

    private static Start start(int code, byte[] rest) throws FrontDoorRefusal {
        if (code >>> 16 != 3) {
            throw new FrontDoorRefusal(
                    FrontDoorRefusal.NOT_SUPPORTED,
                    "protocol %d.%d is not supported".formatted(code >>> 16, code & 0xffff),
                    "use a client of PostgreSQL 7.4 or newer, which speaks protocol 3");
        }
        if (rest.length == 0 || rest[rest.length - 1] != 0) {
            throw violation("the startup packet does not end with a zero byte");
        }
        var parameters = new LinkedHashMap<String, String>();
        var texts = ByteBuffer.wrap(rest, 0, rest.length - 1);
        while (texts.hasRemaining()) {
            var name = text(texts);
            if (name.isEmpty()) {
                throw violation("a parameter of the startup packet has no name");
            }
            parameters.put(name, text(texts));
        }
        return new Start(code & 0xffff, parameters);
    }

    private static String text(ByteBuffer texts) throws FrontDoorRefusal {
        var from = texts.position();
        while (texts.hasRemaining()) {
            if (texts.get() == 0) {
                return utf8(texts.slice(from, texts.position() - 1 - from));
            }
        }
        throw violation("a text of the startup packet does not end");
    }

    static String utf8(ByteBuffer bytes) throws FrontDoorRefusal {
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
        } catch (CharacterCodingException _) {
            throw violation("a text is not UTF-8");
        }
    }

    static FrontDoorRefusal violation(String problem) {
        return new FrontDoorRefusal(
                FrontDoorRefusal.PROTOCOL_VIOLATION,
                problem,
                "connect with a client for PostgreSQL");
    }
}
