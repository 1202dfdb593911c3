package dev.lakemill.server.apps;

import dev.lakemill.catalog.Caller;
import dev.lakemill.identity.Audience;
import dev.lakemill.identity.IssuedToken;
import dev.lakemill.identity.Peer;
import dev.lakemill.identity.TokenInfo;
import dev.lakemill.identity.TokenRequest;
import dev.lakemill.identity.Tokens;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Tokens around apps: the cookie of a browser at one app, the code that brings it there from the
 * node's login, and what an app gets to act for its user.
 *
 * <p>All of them die with the session that they came from. Safe to use from any thread.
 */
final class AppLogins {
    static final Duration COOKIE_TTL = Duration.ofHours(12);
    static final Duration USER_TOKEN_TTL = Duration.ofMinutes(10);
    private static final Duration CODE_TTL = Duration.ofSeconds(60);
    private static final int CODES_MAX = 10_000;
    private static final int TOKENS_MAX = 10_000;

    /** A login that waits for the browser at the app's host. */
    private record Code(UUID app, TokenInfo session, Instant end) {}

    private record ForUser(UUID app, UUID user, String session, Set<String> scopes) {}

    private final Tokens tokens;
    private final Clock clock;
    private final Map<String, Code> codes = new ConcurrentHashMap<>();
    private final Map<ForUser, IssuedToken> userTokens = new ConcurrentHashMap<>();

    AppLogins(Tokens tokens, Clock clock) {
        this.tokens = tokens;
        this.clock = clock;
    }

    /** Good once, for a minute, for this app. */
    String newCode(HostedApp app, TokenInfo session) {
        var now = clock.instant();
        codes.values().removeIf(code -> code.end().isBefore(now));
        if (codes.size() >= CODES_MAX) {
            codes.clear();
        }
        var code = AppRuns.random();
        codes.put(code, new Code(app.id(), session, now.plus(CODE_TTL)));
        return code;
    }

    /** The cookie's token; empty when the code is not good. */
    Optional<IssuedToken> redeem(HostedApp app, @Nullable String text, Peer peer) {
        var code = text == null ? null : codes.remove(text);
        if (code == null
                || !code.app().equals(app.id())
                || code.end().isBefore(clock.instant())
                || !tokens.isGood(code.session())) {
            return Optional.empty();
        }
        var session = code.session();
        var request =
                new TokenRequest(
                        session.principal(),
                        Audience.BROWSER,
                        COOKIE_TTL,
                        Set.of(AppScopes.ofApp(app.id())),
                        List.of(),
                        session.family());
        var caller = peer.caller(session.principal());
        return Optional.of(tokens.issue(caller, request, session.generation()));
    }

    TokenInfo verifyCookie(HostedApp app, String cookie, Peer peer) {
        return tokens.verify(cookie, Audience.BROWSER, Set.of(AppScopes.ofApp(app.id())), peer);
    }

    TokenInfo verifyBearer(String token, Peer peer) {
        return tokens.verify(token, Audience.REST, peer);
    }

    boolean isGood(TokenInfo token) {
        return tokens.isGood(token);
    }

    /** For the user, as far as the scopes go, made by the app; the same for some minutes. */
    IssuedToken forUser(HostedApp app, TokenInfo user, Set<String> scopes, Peer peer) {
        var now = clock.instant();
        var key = new ForUser(app.id(), user.principal().id(), user.family(), scopes);
        var known = userTokens.get(key);
        if (known != null
                && known.info().expiresAt().isAfter(now.plus(USER_TOKEN_TTL.dividedBy(2)))
                && tokens.isGood(known.info())) {
            return known;
        }
        userTokens.values().removeIf(token -> token.info().expiresAt().isBefore(now));
        if (userTokens.size() >= TOKENS_MAX) {
            userTokens.clear();
        }
        var request =
                new TokenRequest(
                        user.principal(),
                        Audience.ALL,
                        USER_TOKEN_TTL,
                        scopes,
                        List.of(),
                        user.family());
        var caller =
                new Caller(
                        app.principal(),
                        user.principal(),
                        peer.door(),
                        peer.address(),
                        peer.requestId());
        var issued = tokens.issue(caller, request, user.generation());
        userTokens.put(key, issued);
        return issued;
    }
}
