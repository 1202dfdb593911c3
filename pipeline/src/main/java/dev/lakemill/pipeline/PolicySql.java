package dev.lakemill.pipeline;

import java.util.List;
import java.util.stream.Collectors;

/**
 * Puts into the body of a catalog's function what it is asked about: arguments for {@code $1},
 * {@code $2}, …, the caller's name for {@code $user} and groups for {@code $groups}.
 */
final class PolicySql {
    private final String body;
    private final List<String> arguments;
    private final LakeQuery.Person person;

    private PolicySql(String body, List<String> arguments, LakeQuery.Person person) {
        this.body = body;
        this.arguments = arguments;
        this.person = person;
    }

    static String of(LakeQuery.Rule rule, LakeQuery.Person person) {
        var arguments = rule.columns().stream().map(DuckPrinter::quoted).toList();
        return new PolicySql(rule.duckSql(), arguments, person).filled();
    }

    static DuckCaller caller(LakeQuery.Person person) {
        var groups =
                person.groups().stream()
                        .map(DuckExpressions::text)
                        .collect(Collectors.joining(", ", "CAST([", "] AS VARCHAR[])"));
        return new DuckCaller(DuckExpressions.text(person.name()), groups);
    }

    /** What stands in quotes is the function's own text, whatever it looks like. */
    private String filled() {
        var filled = new StringBuilder();
        for (int i = 0; i < body.length(); ) {
            var end = i + 1;
            var c = body.charAt(i);
            if (c == '\'' || c == '"') {
                end = 1 + body.indexOf(c, end);
                filled.append(body, i, end);
            } else if (c == '$') {
                while (end < body.length() && Character.isLetterOrDigit(body.charAt(end))) {
                    end++;
                }
                filled.append(value(body.substring(i + 1, end)));
            } else {
                filled.append(c);
            }
            i = end;
        }
        return filled.toString();
    }

    private String value(String name) {
        return switch (name) {
            case "user" -> caller(person).user();
            case "groups" -> caller(person).groups();
            default -> arguments.get(Integer.parseInt(name) - 1);
        };
    }
}
