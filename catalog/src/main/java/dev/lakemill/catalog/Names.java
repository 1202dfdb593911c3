package dev.lakemill.catalog;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Securable;
import dev.lakemill.types.SecurableType;
import java.nio.charset.StandardCharsets;
import java.text.Normalizer;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/** What names and texts may be: INVALID_ARGUMENT says why one is not. */
final class Names {
    /** What Postgres keeps of a role's name; a longer one would become another's. */
    static final int PRINCIPAL_BYTES_MAX = 63;

    static final int NAME_CHARS_MAX = 255;
    static final int COMMENT_CHARS_MAX = 65_536;
    static final int LOCATION_CHARS_MAX = 4_096;
    static final int PROPERTIES_MAX = 1_000;
    static final int PROPERTY_CHARS_MAX = 65_536;
    static final int TAG_KEY_CHARS_MAX = 255;
    static final int TAG_VALUE_CHARS_MAX = 1_000;

    /** Words that Postgres keeps for itself where a role could stand, and our own roles. */
    private static final Set<String> RESERVED =
            Set.of(
                    "postgres",
                    "lakemill",
                    "public",
                    "none",
                    "user",
                    "current_user",
                    "current_role",
                    "session_user",
                    "system_user");

    private static final Pattern PRINCIPAL =
            Pattern.compile("[\\p{L}\\p{N}_](?:[^\\p{C}\\p{Z}\"`\\\\]| (?! |$))*");
    private static final Pattern SQL_PART = Pattern.compile("[A-Za-z_][A-Za-z0-9_]*");
    private static final Pattern PART = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_-]*");
    private static final Pattern TAG_KEY = Pattern.compile("[^\\p{C}.,:/=\\s-]+");

    private Names() {}

    static void checkPrincipal(String name) {
        if (name.getBytes(StandardCharsets.UTF_8).length > PRINCIPAL_BYTES_MAX) {
            throw refused(
                    name,
                    "is longer than %d bytes".formatted(PRINCIPAL_BYTES_MAX),
                    "Postgres roles bear the names of principals, and no longer ones");
        }
        if (!PRINCIPAL.matcher(name).matches()
                || !Normalizer.isNormalized(name, Normalizer.Form.NFC)) {
            throw refused(
                    name,
                    "is no name of a principal",
                    "start with a letter, digit or underscore; no quotes, backslashes, control"
                            + " characters or double spaces");
        }
        var lower = name.toLowerCase(Locale.ROOT);
        if (RESERVED.contains(lower) || lower.startsWith("pg_") || lower.startsWith("lakemill_")) {
            throw refused(name, "is reserved by Postgres or Lakemill", "take another name");
        }
    }

    /** Of the last part: the others name what is there already. */
    static void check(Securable securable) {
        var part = securable.name().substring(securable.name().lastIndexOf('.') + 1);
        var pattern = inSql(securable.type()) ? SQL_PART : PART;
        if (part.length() > NAME_CHARS_MAX || !pattern.matcher(part).matches()) {
            throw refused(
                    part,
                    "is no name of a " + securable.type().name().replace('_', ' '),
                    (pattern == PART
                                    ? "use ASCII letters, digits, underscores and dashes"
                                    : "use ASCII letters, digits and underscores, no digit first")
                            + ", at most %d".formatted(NAME_CHARS_MAX));
        }
    }

    /** The names under which the catalog shows itself are not given away. */
    static void checkFree(Securable securable) {
        var last = securable.name().substring(securable.name().lastIndexOf('.') + 1);
        var taken =
                switch (securable.type()) {
                    case CATALOG -> "system";
                    case SCHEMA -> "information_schema";
                    default -> "";
                };
        if (last.equalsIgnoreCase(taken)) {
            throw refused(last, "is where the catalog shows itself", "take another name");
        }
    }

    /** What engines name without quotes. */
    private static boolean inSql(SecurableType type) {
        return switch (type) {
            case METASTORE, CATALOG, SCHEMA, TABLE, FUNCTION -> true;
            case VOLUME, REGISTERED_MODEL, EXTERNAL_LOCATION, CREDENTIAL, APP, AGENT -> false;
        };
    }

    static void checkText(String what, String text, int charsMax) {
        if (text.length() > charsMax || text.indexOf('\0') >= 0) {
            throw refused(
                    text.substring(0, Math.min(text.length(), 40)),
                    "is no %s".formatted(what),
                    "a %s has at most %d characters, U+0000 not among them"
                            .formatted(what, charsMax));
        }
    }

    static void checkDescription(String comment, Map<String, String> properties) {
        checkText("comment", comment, COMMENT_CHARS_MAX);
        if (properties.size() > PROPERTIES_MAX) {
            throw Refusals.invalid(
                    "there are %d properties".formatted(properties.size()),
                    "there may be %d".formatted(PROPERTIES_MAX));
        }
        properties.forEach(
                (key, value) -> {
                    checkText("property's key", key, NAME_CHARS_MAX);
                    checkText("property's value", value, PROPERTY_CHARS_MAX);
                });
    }

    static void checkTag(String key, String value) {
        if (key.length() > TAG_KEY_CHARS_MAX || !TAG_KEY.matcher(key).matches()) {
            throw refused(
                    key,
                    "is no key of a tag",
                    "at most %d characters, none of . , - = / : or spaces"
                            .formatted(TAG_KEY_CHARS_MAX));
        }
        checkText("tag's value", value, TAG_VALUE_CHARS_MAX);
    }

    static void checkAlias(String alias) {
        if (alias.length() > NAME_CHARS_MAX || !PART.matcher(alias).matches()) {
            throw refused(
                    alias,
                    "is no alias",
                    "use ASCII letters, digits, underscores and dashes, at most %d"
                            .formatted(NAME_CHARS_MAX));
        }
    }

    private static LakemillException refused(String name, String problem, String hint) {
        return new LakemillException(
                ErrorCode.INVALID_ARGUMENT, "'%s' %s".formatted(name, problem), hint);
    }
}
