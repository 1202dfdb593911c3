package dev.lakemill.agents.gateway;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.Locale;
import java.util.Set;

/**
 * Where providers may be. Addresses come from the operator's file alone; still, those at which
 * clouds hand out credentials are refused, whatever name leads there.
 */
final class ProviderAddress {
    private static final byte[] METADATA_V6 = {
        (byte) 0xfd, 0, 0x0e, (byte) 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54
    };

    /** Alibaba's and Azure's, which are not link-local. */
    private static final Set<String> METADATA_V4 = Set.of("100.100.100.200", "168.63.129.16");

    private ProviderAddress() {}

    /** INVALID_ARGUMENT for what is no address of a provider. */
    static URI parse(String text) {
        try {
            var url = URI.create(text);
            var scheme = String.valueOf(url.getScheme()).toLowerCase(Locale.ROOT);
            if ((scheme.equals("http") || scheme.equals("https"))
                    && url.getHost() != null
                    && url.getUserInfo() == null
                    && url.getQuery() == null
                    && url.getFragment() == null) {
                return URI.create(text.replaceAll("/+$", ""));
            }
        } catch (IllegalArgumentException _) {
            // Told below.
        }
        throw new LakemillException(
                ErrorCode.INVALID_ARGUMENT,
                "base_url '%s' is no address of a provider".formatted(text),
                "write it as http://host:8000/v1: no user, no query; the key stands in api_key");
    }

    /**
     * Looks where the name leads now.
     *
     * @throws ModelProblem REFUSED for a link-local or metadata address, UNAVAILABLE for none
     */
    static void check(URI url) {
        try {
            for (var address : InetAddress.getAllByName(url.getHost())) {
                if (isForbidden(address)) {
                    throw new ModelProblem(
                            ModelProblem.Kind.REFUSED,
                            "provider %s leads to %s, where machines get their credentials"
                                    .formatted(url, address.getHostAddress()),
                            "set base_url to a model server");
                }
            }
        } catch (UnknownHostException e) {
            throw new ModelProblem(
                    ModelProblem.Kind.UNAVAILABLE,
                    "the host of provider %s is not known".formatted(url),
                    "check base_url and the name service");
        }
    }

    private static boolean isForbidden(InetAddress address) {
        return address.isLinkLocalAddress()
                || address.isMulticastAddress()
                || address.isAnyLocalAddress()
                || METADATA_V4.contains(address.getHostAddress())
                || Arrays.equals(address.getAddress(), METADATA_V6);
    }
}
