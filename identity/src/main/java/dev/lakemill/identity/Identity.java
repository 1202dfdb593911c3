package dev.lakemill.identity;

import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.Migrations;
import java.security.SecureRandom;
import java.time.Clock;
import java.util.List;
import javax.sql.DataSource;

/** Who somebody is: secrets, tokens, sessions and OAuth, over the principals of the catalog. */
public final class Identity implements AutoCloseable {
    private static final Migrations MIGRATIONS =
            new Migrations("identity", Identity.class, List.of("0001-identity.sql"));

    /** What the parts share. */
    record Parts(
            DataSource database,
            Catalog catalog,
            IdentityConfig config,
            SecureRandom random,
            Clock clock) {}

    private final Changes changes = new Changes();
    private final AutoCloseable principalChanges;
    private final Tokens tokens;

    private Identity(Parts parts) {
        MIGRATIONS.apply(parts.database());
        var file = KeyFile.open(parts.config().keyFile(), parts.random());
        var keys = new SigningKeys(parts.database(), file, parts.random(), parts.clock());
        var revocations = new Revocations(parts.database(), parts.clock());
        tokens = new Tokens(parts, keys, revocations, changes);
        principalChanges = parts.catalog().access().onChange(changes::changed);
    }

    /** Opens its tables in the schema {@code lakemill}, beside the catalog's, migrating forward. */
    public static Identity open(
            DataSource database, Catalog catalog, IdentityConfig config, Clock clock) {
        return new Identity(new Parts(database, catalog, config, new SecureRandom(), clock));
    }

    public Tokens tokens() {
        return tokens;
    }

    @Override
    public void close() {
        try {
            principalChanges.close();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
        changes.close();
    }
}
