package dev.lakemill.identity;

import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * How identity works here.
 *
 * @param issuer the public URL of this node, without a slash at its end; asked when tokens are made
 *     and verified, because the port may be known only then
 * @param keyFile made on the first start
 * @param external whose tokens are taken in exchange for ours
 */
public record IdentityConfig(
        Supplier<String> issuer, Path keyFile, Optional<ExternalIssuerConfig> external) {}
