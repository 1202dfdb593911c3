package dev.lakemill.postgres;

import com.ongres.scram.client.ScramClient;
import com.ongres.scram.common.exception.ScramException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Logs in to Postgres as a role, and collects what its client is to hear of that. */
final class FrontDoorBackendLogin {
    private static final int AUTH_OK = 0;
    private static final int AUTH_SASL = 10;
    private static final int AUTH_SASL_CONTINUE = 11;
    private static final int AUTH_SASL_FINAL = 12;
    private static final String MECHANISM = "SCRAM-SHA-256";

    /** What comes of a login. */
    sealed interface Outcome {
        /**
         * @param welcome everything from AuthenticationOk to ReadyForQuery
         */
        record In(int pid, byte[] cancelKey, ByteBuf welcome) implements Outcome {}

        /** Postgres says no; its own words are for the client. */
        record Refused(String sqlState, ByteBuf error) implements Outcome {}
    }

    private final FrontDoorLine line;
    private final String password;
    private final ByteBuf welcome = Unpooled.buffer(1024);
    private @Nullable ScramClient scram;
    private int pid;
    private byte[] cancelKey = {};

    private FrontDoorBackendLogin(FrontDoorLine line, String password) {
        this.line = line;
        this.password = password;
    }

    static Outcome run(FrontDoorLine line, ByteBuf startup, String password)
            throws IOException, FrontDoorRefusal {
        line.send(startup);
        return new FrontDoorBackendLogin(line, password).run();
    }

    private Outcome run() throws IOException, FrontDoorRefusal {
        while (true) {
            var message = FrontDoorBackend.Message.read(line);
            switch (message.type()) {
                case 'R' -> authenticate(message);
                case 'E' -> {
                    var error = Unpooled.buffer();
                    message.copyTo(error);
                    return new Outcome.Refused(message.sqlState(), error);
                }
                case 'K' -> {
                    pid = ByteBuffer.wrap(message.body()).getInt();
                    cancelKey = Arrays.copyOfRange(message.body(), 4, message.body().length);
                    message.copyTo(welcome);
                }
                case 'Z' -> {
                    message.copyTo(welcome);
                    return new Outcome.In(pid, cancelKey, welcome);
                }
                case 'S', 'N' -> message.copyTo(welcome);
                default -> throw new IOException("a message '" + message.type() + "' at login");
            }
        }
    }

    private void authenticate(FrontDoorBackend.Message message) throws IOException {
        var body = ByteBuffer.wrap(message.body());
        var step = body.getInt();
        var data = StandardCharsets.UTF_8.decode(body).toString();
        try {
            switch (step) {
                case AUTH_OK -> message.copyTo(welcome);
                case AUTH_SASL -> line.send(first(data));
                case AUTH_SASL_CONTINUE -> {
                    var client = started();
                    client.serverFirstMessage(data);
                    line.send(FrontDoorMessages.sasl(client.clientFinalMessage().toString()));
                }
                case AUTH_SASL_FINAL -> started().serverFinalMessage(data);
                default ->
                        throw new IOException(
                                "Postgres asks for authentication %d; pg_hba.conf has to say"
                                                .formatted(step)
                                        + " scram-sha-256");
            }
        } catch (ScramException e) {
            throw new IOException("SCRAM with Postgres failed", e);
        }
    }

    /** Postgres does not look at the name in SCRAM; it has the one of the startup packet. */
    private ByteBuf first(String mechanisms) throws IOException {
        if (!List.of(mechanisms.split("\0")).contains(MECHANISM)) {
            throw new IOException("Postgres offers " + mechanisms.replace('\0', ' '));
        }
        var client =
                ScramClient.builder()
                        .advertisedMechanisms(List.of(MECHANISM))
                        .username("*")
                        .password(password.toCharArray())
                        .build();
        scram = client;
        return FrontDoorMessages.saslFirst(MECHANISM, client.clientFirstMessage().toString());
    }

    private ScramClient started() throws IOException {
        if (scram == null) {
            throw new IOException("Postgres goes on with SCRAM that has not begun");
        }
        return scram;
    }
}
