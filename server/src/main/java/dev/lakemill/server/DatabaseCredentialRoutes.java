package dev.lakemill.server;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lakemill.catalog.Caller;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.RoutingContext;
import java.time.Clock;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.Optional;

/**
 * Passwords for Postgres, in the forms of Lakebase's two APIs: {@code POST
 * /api/2.0/database/credentials} and {@code /api/2.0/postgres/credentials}.
 *
 * <p>Instances and endpoints are accepted under any name: there is one Postgres. Of claims, {@code
 * READ_ONLY} on everything is offered; a claim on single tables is refused, because Postgres gives
 * rights to roles and not to tokens.
 */
final class DatabaseCredentialRoutes {
    static final Duration TTL_MIN = Duration.ofMinutes(5);
    static final Duration TTL_MAX = Duration.ofHours(1);

    private final DatabaseTokens tokens;
    private final Clock clock;

    private DatabaseCredentialRoutes(DatabaseTokens tokens, Clock clock) {
        this.tokens = tokens;
        this.clock = clock;
    }

    static void mount(Routes routes, DatabaseTokens tokens, Clock clock) {
        var made = new DatabaseCredentialRoutes(tokens, clock);
        routes.secured(
                HttpMethod.POST,
                "/api/2.0/database/credentials",
                (context, caller) ->
                        made.answer(context, caller, routes.body(context), "expiration_time"));
        routes.secured(
                HttpMethod.POST,
                "/api/2.0/postgres/credentials",
                (context, caller) ->
                        made.answer(context, caller, routes.body(context), "expire_time"));
    }

    private Map<String, String> answer(
            RoutingContext context, Caller caller, JsonNode body, String expiry) {
        var group = body.path("group_name").asText("");
        var request =
                new DatabaseTokens.Request(
                        timeToLive(body),
                        readOnly(body.path("claims")),
                        group.isEmpty() ? Optional.empty() : Optional.of(group),
                        HttpAuthentication.family(context));
        var credential = tokens.issue(caller, request);
        return Map.of(
                "token",
                credential.token(),
                expiry,
                credential.expires().truncatedTo(ChronoUnit.SECONDS).toString());
    }

    /** From {@code ttl} ("900s" or 900) or {@code expire_time}; an hour without them. */
    private Duration timeToLive(JsonNode body) {
        var ttl = body.path("ttl").asText("");
        var end = body.path("expire_time").asText("");
        if (!ttl.isEmpty() && !end.isEmpty()) {
            throw bad("both ttl and expire_time are given");
        }
        var life = ttl.isEmpty() && end.isEmpty() ? TTL_MAX : parse(ttl, end);
        if (life.compareTo(TTL_MIN) < 0 || life.compareTo(TTL_MAX) > 0) {
            throw bad("a credential cannot live for %d s".formatted(life.toSeconds()));
        }
        return life;
    }

    private Duration parse(String ttl, String end) {
        try {
            return ttl.isEmpty()
                    ? Duration.between(clock.instant(), Instant.parse(end))
                    : Duration.ofSeconds(Long.parseLong(ttl.replaceFirst("s$", "")));
        } catch (NumberFormatException | DateTimeException | ArithmeticException _) {
            throw bad("'%s' is not a time".formatted(ttl.isEmpty() ? end : ttl));
        }
    }

    private static LakemillException bad(String problem) {
        return new LakemillException(
                ErrorCode.INVALID_ARGUMENT,
                problem,
                "send ttl of %d to %d s, such as \"900s\", or expire_time in that range"
                        .formatted(TTL_MIN.toSeconds(), TTL_MAX.toSeconds()));
    }

    private static boolean readOnly(JsonNode claims) {
        if (claims.isMissingNode() || claims.isNull() || (claims.isArray() && claims.isEmpty())) {
            return false;
        }
        for (var claim : claims) {
            if (!claim.path("permission_set").asText().equals("READ_ONLY")) {
                throw new LakemillException(
                        ErrorCode.INVALID_ARGUMENT,
                        "a claim has the permission_set '%s'"
                                .formatted(claim.path("permission_set").asText()),
                        "the one there is is READ_ONLY");
            }
            if (!claim.path("resources").isEmpty()) {
                throw new LakemillException(
                        ErrorCode.UNIMPLEMENTED,
                        "a credential for single tables is not offered",
                        "leave resources out, and grant a service principal those tables alone");
            }
        }
        return true;
    }
}
