package dev.lakemill.identity;

import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.Migrations;
import dev.lakemill.catalog.PrincipalInfo;
import dev.lakemill.catalog.Principals;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Principal;
import dev.lakemill.types.PrincipalKind;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import javax.sql.DataSource;

/** Who somebody is: secrets, tokens, sessions and OAuth, over the principals of the catalog. */
public final class Identity implements AutoCloseable {
    /** The user that the first start makes. */
    public static final String ADMIN = "admin";

    /** How long a browser stays logged in. */
    public static final Duration BROWSER_TTL = Duration.ofHours(12);

    private static final Duration FIRST_CODE_TTL = Duration.ofDays(3650);

    private static final Migrations MIGRATIONS =
            new Migrations(
                    "identity",
                    Identity.class,
                    List.of("0001-identity.sql", "0002-refresh-generations.sql"));

    /** What the parts share. */
    record Parts(
            DataSource database,
            Catalog catalog,
            IdentityConfig config,
            SecureRandom random,
            Clock clock,
            int passwordIterations) {}

    private final Parts parts;
    private final Changes changes = new Changes();
    private final AutoCloseable principalChanges;
    private final Tokens tokens;
    private final Passwords passwords;
    private final ClientSecrets secrets;
    private final PersonalTokens personalTokens;
    private final OAuth oauth;

    private Identity(Parts parts) {
        this.parts = parts;
        MIGRATIONS.apply(parts.database());
        var file = KeyFile.open(parts.config().keyFile(), parts.random());
        var keys = new SigningKeys(parts.database(), file, parts.random(), parts.clock());
        var revocations = new Revocations(parts.database(), parts.clock());
        // One budget of failures for an address, whatever it tries.
        var addresses = new RateLimit(50, Duration.ofSeconds(5), parts.clock());
        tokens = new Tokens(parts, keys, revocations, changes);
        passwords = new Passwords(parts, addresses);
        secrets = new ClientSecrets(parts, addresses);
        personalTokens = new PersonalTokens(parts, tokens);
        var external = parts.config().external().map(c -> new ExternalIssuer(c, parts.catalog()));
        oauth = new OAuth(parts, tokens, secrets, new TokenExchange(tokens, external));
        principalChanges = parts.catalog().access().onChange(changes::changed);
    }

    /** Opens its tables in the schema {@code lakemill}, beside the catalog's, migrating forward. */
    public static Identity open(
            DataSource database, Catalog catalog, IdentityConfig config, Clock clock) {
        return open(database, catalog, config, clock, Verifier.PASSWORD_ITERATIONS);
    }

    /** Tests have no time for passwords that are dear to guess. */
    static Identity open(
            DataSource database,
            Catalog catalog,
            IdentityConfig config,
            Clock clock,
            int passwordIterations) {
        var random = new SecureRandom();
        return new Identity(
                new Parts(database, catalog, config, random, clock, passwordIterations));
    }

    public Tokens tokens() {
        return tokens;
    }

    public Passwords passwords() {
        return passwords;
    }

    public ClientSecrets secrets() {
        return secrets;
    }

    public PersonalTokens personalTokens() {
        return personalTokens;
    }

    public OAuth oauth() {
        return oauth;
    }

    /** The token that the cookie of a browser holds, after somebody logged in there. */
    public IssuedToken browserSession(Principal user, Peer peer) {
        var request = browser(user, BROWSER_TTL, UUID.randomUUID().toString());
        return tokens.issue(peer.caller(user), request);
    }

    /**
     * The same for whoever shows a token instead: it ends when the token does, or is revoked.
     *
     * @throws LakemillException PERMISSION_DENIED for a narrowed token: a cookie is good for all
     */
    public IssuedToken browserSession(TokenInfo shown, Peer peer) {
        if (shown.isNarrowed()) {
            var problem =
                    "the token of `%s` is for %s, and a browser's session is for everything"
                            .formatted(shown.principal().name(), shown.claim());
            var about = Map.of("audience", Audience.BROWSER.claim());
            parts.catalog().audit().record(peer.refused("mintOAuthToken", about, 403, problem));
            throw new LakemillException(
                    ErrorCode.PERMISSION_DENIED,
                    problem,
                    "exchange a token without authorization_details for a cookie");
        }
        var left = Duration.between(parts.clock().instant(), shown.expiresAt());
        var life = left.compareTo(BROWSER_TTL) < 0 ? left : BROWSER_TTL;
        var user = shown.principal();
        var request = browser(user, life, shown.family());
        return tokens.issue(peer.caller(user), request, shown.generation());
    }

    private static TokenRequest browser(Principal user, Duration life, String session) {
        var scopes = Set.of(TokenRequest.ALL_APIS);
        return new TokenRequest(user, Audience.BROWSER, life, scopes, List.of(), session);
    }

    /**
     * The user {@link #ADMIN}, in the group of admins: made when no user is in that group. Empty
     * when others administer and there is none of this name.
     */
    public Optional<Principal> administrator() {
        var principals = parts.catalog().principals();
        var known = principals.find(ADMIN);
        var admins = principals.find(Principals.ADMINS).orElseThrow().principal().id();
        var administered =
                principals.members(admins).stream().anyMatch(p -> p.kind() == PrincipalKind.USER);
        if (known.isPresent() || administered) {
            return known.filter(PrincipalInfo::active)
                    .map(PrincipalInfo::principal)
                    .filter(p -> p.kind() == PrincipalKind.USER && principals.isAdmin(p.id()));
        }
        var system = parts.catalog().system();
        var made = principals.create(system, PrincipalKind.USER, ADMIN, "Administrator", "");
        principals.addMember(system, admins, made.principal().id());
        return Optional.of(made.principal());
    }

    /**
     * A new one-time code of the administrator's, as long as it has no password; codes of earlier
     * starts end.
     */
    public Optional<String> firstLogin() {
        return administrator()
                .filter(admin -> !passwords.exists(admin.id()))
                .map(
                        admin ->
                                passwords.newCode(
                                        parts.catalog().system(), admin.id(), FIRST_CODE_TTL));
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
