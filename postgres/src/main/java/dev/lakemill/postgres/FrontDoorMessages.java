package dev.lakemill.postgres;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/**
 * The messages that the door itself writes. Their form is told in PostgreSQL's manual, chapter
 * Frontend/Backend Protocol.
 */
final class FrontDoorMessages {
    static final int CANCEL_REQUEST = 80877102;
    static final int TLS_REQUEST = 80877103;
    static final int GSS_REQUEST = 80877104;
    static final int PROTOCOL_3 = 3 << 16;

    private FrontDoorMessages() {}

    static ByteBuf one(char letter) {
        return Unpooled.buffer(1).writeByte(letter);
    }

    static ByteBuf fatal(FrontDoorRefusal refusal) {
        var body = Unpooled.buffer();
        field(body, 'S', "FATAL");
        field(body, 'V', "FATAL");
        field(body, 'C', refusal.sqlState());
        field(body, 'M', refusal.problem());
        if (!refusal.hint().isEmpty()) {
            field(body, 'H', refusal.hint());
        }
        return message('E', body.writeByte(0));
    }

    static ByteBuf askPassword() {
        return message('R', Unpooled.buffer(4).writeInt(3));
    }

    /** Postgres writes the whole version here, whatever its manual says of the minor one. */
    static ByteBuf negotiate(int minor, List<String> unknownOptions) {
        var body = Unpooled.buffer().writeInt(PROTOCOL_3 + minor).writeInt(unknownOptions.size());
        unknownOptions.forEach(option -> text(body, option));
        return message('v', body);
    }

    static ByteBuf tlsRequest() {
        return Unpooled.buffer(8).writeInt(8).writeInt(TLS_REQUEST);
    }

    static ByteBuf cancel(int pid, byte[] key) {
        return Unpooled.buffer()
                .writeInt(12 + key.length)
                .writeInt(CANCEL_REQUEST)
                .writeInt(pid)
                .writeBytes(key);
    }

    static ByteBuf startup(int minor, Map<String, String> parameters) {
        var body = Unpooled.buffer().writeInt(PROTOCOL_3 + minor);
        parameters.forEach((name, value) -> text(text(body, name), value));
        body.writeByte(0);
        return Unpooled.wrappedBuffer(Unpooled.buffer(4).writeInt(4 + body.readableBytes()), body);
    }

    static ByteBuf saslFirst(String mechanism, String first) {
        var bytes = first.getBytes(StandardCharsets.UTF_8);
        var body = text(Unpooled.buffer(), mechanism).writeInt(bytes.length).writeBytes(bytes);
        return message('p', body);
    }

    static ByteBuf sasl(String text) {
        return message('p', Unpooled.copiedBuffer(text, StandardCharsets.UTF_8));
    }

    static ByteBuf message(char type, ByteBuf body) {
        var head = Unpooled.buffer(5).writeByte(type).writeInt(4 + body.readableBytes());
        return Unpooled.wrappedBuffer(head, body);
    }

    private static void field(ByteBuf body, char type, String value) {
        text(body.writeByte(type), value);
    }

    private static ByteBuf text(ByteBuf body, String value) {
        return body.writeBytes(value.getBytes(StandardCharsets.UTF_8)).writeByte(0);
    }
}
