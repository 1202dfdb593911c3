package dev.lakemill.server;

import dev.lakemill.postgres.FrontDoor;
import dev.lakemill.postgres.FrontDoorAudit;
import dev.lakemill.postgres.FrontDoorAuthenticator;
import dev.lakemill.postgres.FrontDoorConfig;
import dev.lakemill.postgres.FrontDoorLimits;
import dev.lakemill.postgres.Postgres;
import java.time.Duration;

/** The front door as the settings want it, and where clients find it. */
record DoorParts(FrontDoor door, String address) {
    static DoorParts open(
            Config config, Postgres postgres, FrontDoorAuthenticator tokens, FrontDoorAudit audit) {
        var host = config.text(Setting.POSTGRES_HOST);
        var clients = Postgres.clientConnections(config.number(Setting.POSTGRES_CONNECTIONS));
        var settings =
                new FrontDoorConfig(
                        host,
                        config.number(Setting.POSTGRES_PORT),
                        config.path(Setting.POSTGRES_CERTIFICATE),
                        config.path(Setting.POSTGRES_KEY),
                        config.data().resolve("postgres"),
                        Duration.ofNanos(1_000L * config.number(Setting.POSTGRES_SPIN_US)),
                        config.text(Setting.POSTGRES_END_AT_EXPIRY).equals("true"),
                        FrontDoorLimits.of(clients));
        var door = FrontDoor.open(postgres, settings, new DoorLogins(postgres, tokens), audit);
        return new DoorParts(door, address(host) + ":" + door.port());
    }

    /** Where a client on this machine reaches what listens on every address. */
    private static String address(String host) {
        return host.equals("0.0.0.0") || host.equals("::") ? "127.0.0.1" : host;
    }
}
