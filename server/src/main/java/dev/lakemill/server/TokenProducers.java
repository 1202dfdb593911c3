package dev.lakemill.server;

import dev.lakemill.catalog.AuditEvent;
import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.CatalogTable;
import dev.lakemill.catalog.LineageEntity;
import dev.lakemill.catalog.LineageNode;
import dev.lakemill.identity.Audience;
import dev.lakemill.identity.TokenInfo;
import dev.lakemill.identity.Tokens;
import dev.lakemill.ingest.ProducerAccess;
import dev.lakemill.types.Column;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.TableName;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Producers by their tokens: identity says who one is, the catalog whether it may write.
 *
 * <p>A producer needs SELECT and MODIFY on its table, as Zerobus asks.
 */
final class TokenProducers implements ProducerAccess {
    private static final String SERVICE = "zerobus";
    private static final String BEARER = "Bearer ";
    private static final List<Privilege> NEEDED = List.of(Privilege.SELECT, Privilege.MODIFY);

    private final Tokens tokens;
    private final Catalog catalog;

    TokenProducers(Tokens tokens, Catalog catalog) {
        this.tokens = tokens;
        this.catalog = catalog;
    }

    @Override
    public Producer authenticate(
            String door, @Nullable String authorization, String address, UUID stream) {
        if (authorization == null
                || !authorization.regionMatches(true, 0, BEARER, 0, BEARER.length())) {
            throw new LakemillException(
                    ErrorCode.UNAUTHENTICATED,
                    "the header authorization brings no bearer token",
                    "get a token from POST /oidc/v1/token, or by ./lakemill token");
        }
        var bearer = authorization.substring(BEARER.length()).strip();
        var token = door.equals("rest") ? ofRest(bearer) : tokens.verify(bearer, Audience.GRPC);
        var caller = new Caller(token.principal(), null, door, address, stream.toString());
        return new TokenProducer(token, caller);
    }

    /** REST takes a producer's token as well as its own. */
    private TokenInfo ofRest(String bearer) {
        try {
            return tokens.verify(bearer, Audience.GRPC);
        } catch (LakemillException e) {
            return tokens.verify(bearer, Audience.REST);
        }
    }

    /** Hears of grants and principals, and of tokens. */
    @Override
    public AutoCloseable onChange(Runnable listener) {
        var grants = catalog.access().onChange(listener);
        var revocations = tokens.onRevoked(listener);
        return () -> {
            grants.close();
            revocations.close();
        };
    }

    private final class TokenProducer implements Producer {
        private final TokenInfo token;
        private final Caller caller;

        TokenProducer(TokenInfo token, Caller caller) {
            this.token = token;
            this.caller = caller;
        }

        @Override
        public String name() {
            return caller.principal().name();
        }

        @Override
        public Instant expires() {
            return token.expiresAt();
        }

        @Override
        public void require(TableName table) {
            if (!tokens.isGood(token)) {
                throw new LakemillException(
                        ErrorCode.UNAUTHENTICATED,
                        "the stream's token is no longer good",
                        "open the stream again with a new token");
            }
            var on = Securable.table(table);
            for (var privilege : NEEDED) {
                if (!token.allows(privilege, on)) {
                    throw new LakemillException(
                            ErrorCode.PERMISSION_DENIED,
                            "the token is not for %s on %s".formatted(privilege.sql(), table),
                            "ask for a token whose authorization_details name it");
                }
                catalog.access().require(caller, privilege, on);
            }
        }

        @Override
        public CatalogTable evolve(TableName table, List<Column> columns) {
            return catalog.evolve(caller, table, columns);
        }

        @Override
        public void opened(TableName table) {
            record("openStream", Map.of("table", table.toString()));
        }

        @Override
        public void closed(TableName table, long rows) {
            var name = caller.principal().name();
            var stream = new LineageEntity(LineageEntity.Type.STREAM, name, "");
            catalog.lineage().wrote(stream, name, LineageNode.table(table), rows);
            record("closeStream", Map.of("table", table.toString(), "rows", String.valueOf(rows)));
        }

        private void record(String action, Map<String, String> parameters) {
            catalog.audit().record(AuditEvent.done(caller, SERVICE, action, parameters));
        }
    }
}
