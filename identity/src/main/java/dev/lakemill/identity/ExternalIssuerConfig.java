package dev.lakemill.identity;

/**
 * An OpenID provider whose tokens are exchanged for ours.
 *
 * @param issuer compared exactly with the claim {@code iss}; its discovery document is fetched from
 *     below it
 * @param audience that the claim {@code aud} must contain
 * @param nameClaim whose value is the name of the principal, for example {@code email}
 * @param createsUsers whether who is not known yet becomes a user without any grant
 */
public record ExternalIssuerConfig(
        String issuer, String audience, String nameClaim, boolean createsUsers) {}
