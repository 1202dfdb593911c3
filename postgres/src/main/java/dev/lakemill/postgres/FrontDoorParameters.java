package dev.lakemill.postgres;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * What of a client's startup parameters goes on to Postgres, by this rule:
 *
 * <ul>
 *   <li>{@code user} and {@code database} are ours to set; there is one database.
 *   <li>{@code role}, {@code session_authorization} and {@code replication} are refused: who a
 *       session is comes from its login alone.
 *   <li>{@code options} may hold settings ({@code -c name=value}, {@code --name=value}) and no
 *       other switch. They are taken apart, so that the same rule holds for each.
 *   <li>Any other setting goes on: Postgres lets a session have it there exactly where it lets the
 *       session SET it.
 *   <li>A read-only login has {@code default_transaction_read_only} on. That gives clear errors;
 *       what holds is that its role may only read.
 *   <li>Protocol options ({@code _pq_.…}) are answered as unknown.
 * </ul>
 */
record FrontDoorParameters(
        String user, Map<String, String> settings, List<String> protocolOptions) {
    private static final Pattern SETTING_NAME = Pattern.compile("[A-Za-z_][A-Za-z0-9_$.]*");
    private static final List<String> REFUSED =
            List.of("role", "session_authorization", "replication");
    private static final List<String> NO = List.of("off", "false", "no", "0");

    /**
     * @param database the one there is; also for a client that names none
     */
    static FrontDoorParameters of(FrontDoorStartup.Start start, String database)
            throws FrontDoorRefusal {
        var settings = new LinkedHashMap<String, String>();
        var protocolOptions = new ArrayList<String>();
        for (var parameter : start.parameters().entrySet()) {
            var name = parameter.getKey();
            var value = parameter.getValue();
            if (name.startsWith("_pq_.")) {
                protocolOptions.add(name);
            } else if (name.equals("options")) {
                options(value, settings);
            } else if (!name.equals("user") && !name.equals("database")) {
                put(settings, name, value);
            }
        }
        var user = start.parameters().getOrDefault("user", "");
        if (user.isEmpty()) {
            throw new FrontDoorRefusal(
                    FrontDoorRefusal.NOT_AUTHORIZED,
                    "no user is named in the startup packet",
                    "connect as a principal: user=name@example.org");
        }
        var wanted = start.parameters().getOrDefault("database", "");
        if (!wanted.isEmpty() && !wanted.equals(database)) {
            throw new FrontDoorRefusal(
                    FrontDoorRefusal.NO_DATABASE,
                    "database \"%s\" does not exist".formatted(wanted),
                    "connect to database \"%s\"".formatted(database));
        }
        return new FrontDoorParameters(user, settings, protocolOptions);
    }

    /** Everything for the startup packet to Postgres. */
    Map<String, String> toBackend(String role, String database, boolean readOnly) {
        var all = new LinkedHashMap<>(settings);
        if (readOnly) {
            all.put("default_transaction_read_only", "on");
        }
        all.put("user", role);
        all.put("database", database);
        return all;
    }

    String application() {
        return settings.getOrDefault("application_name", "");
    }

    /** Names of settings are told apart without regard to case, as Postgres does. */
    private static void put(Map<String, String> settings, String name, String value)
            throws FrontDoorRefusal {
        var lower = name.toLowerCase(Locale.ROOT);
        if (!SETTING_NAME.matcher(name).matches()) {
            throw FrontDoorStartup.violation("'%s' is not the name of a setting".formatted(name));
        }
        if (lower.equals("replication") && NO.contains(value.toLowerCase(Locale.ROOT))) {
            return;
        }
        if (REFUSED.contains(lower)) {
            throw new FrontDoorRefusal(
                    FrontDoorRefusal.DENIED,
                    "the parameter '%s' cannot be set when connecting".formatted(lower),
                    lower.equals("replication")
                            ? "read changes from Delta tables instead"
                            : "connect as the principal or group itself");
        }
        settings.put(lower, value);
    }

    private static void options(String text, Map<String, String> settings) throws FrontDoorRefusal {
        var words = words(text);
        for (int i = 0; i < words.size(); i++) {
            var word = words.get(i);
            String setting;
            if (word.equals("-c") && i + 1 < words.size()) {
                setting = words.get(++i);
            } else if (word.startsWith("-c") || word.startsWith("--")) {
                setting = word.substring(2);
            } else {
                setting = "";
            }
            var equals = setting.indexOf('=');
            if (equals <= 0) {
                throw new FrontDoorRefusal(
                        FrontDoorRefusal.DENIED,
                        "options may hold settings alone, not '%s'".formatted(word),
                        "write options as -c name=value");
            }
            put(
                    settings,
                    setting.substring(0, equals).replace('-', '_'),
                    setting.substring(equals + 1));
        }
    }

    /** Words between white space; a backslash keeps the next character (pg_split_opts). */
    private static List<String> words(String text) {
        var words = new ArrayList<String>();
        var word = new StringBuilder();
        boolean inside = false;
        for (int i = 0; i < text.length(); i++) {
            var c = text.charAt(i);
            if (c <= ' ') {
                if (inside) {
                    words.add(word.toString());
                    word.setLength(0);
                    inside = false;
                }
                continue;
            }
            inside = true;
            if (c == '\\' && i + 1 < text.length()) {
                c = text.charAt(++i);
            }
            word.append(c);
        }
        if (inside) {
            words.add(word.toString());
        }
        return words;
    }
}
