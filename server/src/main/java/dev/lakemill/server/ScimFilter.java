package dev.lakemill.server;

import dev.lakemill.catalog.PrincipalInfo;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.util.Locale;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The filters of SCIM that clients send: one attribute, {@code eq}, {@code co} or {@code sw}. */
final class ScimFilter {
    private static final Pattern FORM =
            Pattern.compile("\\s*([A-Za-z.]+)\\s+([A-Za-z]+)\\s+\"((?:[^\"\\\\]|\\\\.)*)\"\\s*");
    private static final int LENGTH_MAX = 1_000;

    private ScimFilter() {}

    /** Everything when there is no filter. Without regard to case, as SCIM's names are. */
    static Predicate<PrincipalInfo> parse(@Nullable String text) {
        if (text == null || text.isBlank()) {
            return _ -> true;
        }
        var form = FORM.matcher(text.length() > LENGTH_MAX ? "" : text);
        if (!form.matches()) {
            throw bad(text);
        }
        var attribute = form.group(1).toLowerCase(Locale.ROOT);
        var value = form.group(3).replaceAll("\\\\(.)", "$1").toLowerCase(Locale.ROOT);
        attribute(attribute, text);
        var operator = operator(form.group(2).toLowerCase(Locale.ROOT), value, text);
        return info -> operator.test(attribute(attribute, text).of(info).toLowerCase(Locale.ROOT));
    }

    private interface Attribute {
        String of(PrincipalInfo info);
    }

    private static Attribute attribute(String name, String text) {
        return switch (name) {
            case "username", "emails.value", "emails" -> info -> info.principal().name();
            case "displayname" -> ScimJson::displayName;
            case "externalid" -> PrincipalInfo::externalId;
            case "id", "applicationid" -> info -> info.principal().id().toString();
            default -> throw bad(text);
        };
    }

    private static Predicate<String> operator(String name, String value, String text) {
        return switch (name) {
            case "eq" -> found -> found.equals(value);
            case "co" -> found -> found.contains(value);
            case "sw" -> found -> found.startsWith(value);
            default -> throw bad(text);
        };
    }

    private static LakemillException bad(String text) {
        return new LakemillException(
                ErrorCode.INVALID_ARGUMENT,
                "the filter is not understood: " + text.substring(0, Math.min(80, text.length())),
                "for example userName eq \"ada@example.org\" or displayName co \"farm\"");
    }
}
