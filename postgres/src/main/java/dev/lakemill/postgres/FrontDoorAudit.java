package dev.lakemill.postgres;

import java.net.InetSocketAddress;

/**
 * Hears of every login, on virtual threads that may block.
 *
 * <p>A login that {@link #opened} throws for does not come to be: what leaves no record must not
 * happen.
 */
public interface FrontDoorAudit {
    /** Hears nothing. */
    FrontDoorAudit NONE =
            new FrontDoorAudit() {
                @Override
                public void opened(FrontDoorConnection connection) {}

                @Override
                public void refused(InetSocketAddress peer, String user, String problem) {}

                @Override
                public void closed(FrontDoorConnection connection, String reason) {}
            };

    void opened(FrontDoorConnection connection);

    /**
     * @param user that the client named; nothing has shown that it is he
     */
    void refused(InetSocketAddress peer, String user, String problem);

    void closed(FrontDoorConnection connection, String reason);
}
