package dev.lakemill.server;

import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Principals;
import dev.lakemill.identity.Audience;
import dev.lakemill.identity.AuthorizationDetail;
import dev.lakemill.identity.TokenInfo;
import dev.lakemill.identity.TokenRequest;
import dev.lakemill.identity.Tokens;
import dev.lakemill.postgres.FrontDoorLogin;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Principal;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Identity's tokens at the front door: the user is the token's principal, or a group that it is in.
 *
 * <p>A token for reading everything is a read-only login, whose role is made when it is first asked
 * for. One that is narrowed in any other way does not come in: Postgres gives rights to roles, so
 * it would be good for more than it says.
 *
 * @param admitReadOnly makes the role for a principal's read-only logins
 */
record IdentityTokens(Tokens tokens, Principals principals, Consumer<Principal> admitReadOnly)
        implements DatabaseTokens {
    /** The second is that of a token with which an app acts for its user. */
    private static final Set<String> SCOPES = Set.of(TokenRequest.ALL_APIS, "postgres");

    private static final List<AuthorizationDetail> READ_ONLY =
            List.of(new AuthorizationDetail(Securable.METASTORE, Set.of(Privilege.SELECT)));

    @Override
    public Credential issue(Caller caller, Request request) {
        var as = request.group().map(group -> requireMember(caller.principal(), group));
        if (request.readOnly()) {
            admitReadOnly.accept(as.orElse(caller.principal()));
        }
        var wanted =
                TokenRequest.of(caller.principal())
                        .forAudience(Audience.POSTGRES)
                        .withTimeToLive(request.timeToLive())
                        .withSession(request.session());
        var issued =
                tokens.issue(caller, request.readOnly() ? wanted.withDetails(READ_ONLY) : wanted);
        return new Credential(issued.text(), issued.info().expiresAt());
    }

    private Principal requireMember(Principal principal, String group) {
        return group(principal, group)
                .orElseThrow(
                        () ->
                                new LakemillException(
                                        ErrorCode.PERMISSION_DENIED,
                                        "%s is not in a group '%s'"
                                                .formatted(principal.name(), group),
                                        "ask an administrator to be added"));
    }

    @Override
    public FrontDoorLogin login(String user, String password, InetSocketAddress peer) {
        var token = tokens.verify(password, Audience.POSTGRES, SCOPES);
        if (token.isNarrowed() && !token.allows(Privilege.SELECT, Securable.METASTORE)) {
            throw new LakemillException(
                    ErrorCode.PERMISSION_DENIED,
                    "the token is for %s, and Postgres holds a session to the rights of its role"
                            .formatted(token.claim()),
                    "use it for REST or gRPC; for Postgres get a token without"
                            + " authorization_details, or a READ_ONLY credential");
        }
        var own = token.principal();
        if (own.name().equalsIgnoreCase(user)) {
            return login(token, own);
        }
        return login(token, group(own, user).orElseThrow(() -> refused("the token is of another")));
    }

    private FrontDoorLogin login(TokenInfo token, Principal as) {
        var principal = token.principal();
        if (token.isNarrowed()) {
            admitReadOnly.accept(as);
        }
        return new FrontDoorLogin(
                principal.name(),
                as.name(),
                token.id(),
                token.expiresAt(),
                token.isNarrowed(),
                () ->
                        !tokens.isRevoked(token)
                                && (as.equals(principal)
                                        || group(principal, as.name()).isPresent()));
    }

    private Optional<Principal> group(Principal principal, String name) {
        return principals.groupsOf(principal.id()).stream()
                .filter(group -> group.name().equalsIgnoreCase(name))
                .findFirst();
    }

    private static LakemillException refused(String problem) {
        return new LakemillException(
                ErrorCode.UNAUTHENTICATED, problem, "make a token with './lakemill token'");
    }
}
