package dev.lakemill.server;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Users, service principals and groups, by SCIM as everybody else. */
@Command(
        name = "principal",
        mixinStandardHelpOptions = true,
        description = "Makes, lists and deletes users, service principals and groups.",
        synopsisSubcommandLabel = "COMMAND")
final class PrincipalCommand {
    private static final String SCIM = "/api/2.0/preview/scim/v2/";

    /** What a principal is, in the words of the command line. */
    enum Kind {
        USER("Users"),
        SERVICE("ServicePrincipals"),
        GROUP("Groups");

        private final String path;

        Kind(String path) {
            this.path = path;
        }

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private record Found(Kind kind, JsonNode resource) {
        String id() {
            return resource.path("id").asText();
        }

        String name() {
            return kind == Kind.USER
                    ? resource.path("userName").asText()
                    : resource.path("displayName").asText();
        }
    }

    @Spec private CommandSpec spec;

    @Command(
            name = "create",
            mixinStandardHelpOptions = true,
            description = {
                "Makes a principal. A user gets a login link, a service principal a secret; both are"
                        + " shown once."
            })
    int create(
            @Mixin NodeClient.Target target,
            @Parameters(paramLabel = "KIND", description = "${COMPLETION-CANDIDATES}") Kind kind,
            @Parameters(paramLabel = "NAME") String name) {
        var node = target.client();
        var made =
                node.post(
                        SCIM + kind.path,
                        Map.of(kind == Kind.USER ? "userName" : "displayName", name));
        say("%s %s, id %s".formatted(kind, name, made.path("id").asText()));
        switch (kind) {
            case USER -> say("login link: " + link(node, name));
            case SERVICE -> say("secret: " + secret(node, made.path("id").asText()));
            case GROUP -> {
                // A group logs in nowhere.
            }
        }
        return 0;
    }

    private static String link(NodeClient node, String name) {
        return node.post("/api/2.0/identity/login-links", Map.of("user", name))
                .path("url")
                .asText();
    }

    private static String secret(NodeClient node, String id) {
        var path = "/api/2.0/accounts/servicePrincipals/%s/credentials/secrets".formatted(id);
        return node.post(path, Map.of()).path("secret").asText();
    }

    @Command(
            name = "secret",
            mixinStandardHelpOptions = true,
            description = "Makes one more secret of a service principal, or a user's login link.")
    int secret(@Mixin NodeClient.Target target, @Parameters(paramLabel = "NAME") String name) {
        var node = target.client();
        var found = find(node, name);
        if (found.kind() == Kind.USER) {
            say("login link: " + link(node, name));
        } else {
            say("secret: " + secret(node, found.id()));
        }
        return 0;
    }

    @Command(
            name = "list",
            mixinStandardHelpOptions = true,
            description = "Lists all principals, and the members of groups.")
    int list(@Mixin NodeClient.Target target) {
        for (var found : all(target.client())) {
            var members = new ArrayList<String>();
            found.resource().path("members").forEach(m -> members.add(m.path("display").asText()));
            say(
                    "%-8s %-40s %s %s"
                            .formatted(
                                    found.kind(),
                                    found.name(),
                                    found.id(),
                                    String.join(", ", members))
                            .stripTrailing());
        }
        return 0;
    }

    @Command(
            name = "delete",
            mixinStandardHelpOptions = true,
            description = "Deletes a principal with its grants; its tokens end at once.")
    int delete(@Mixin NodeClient.Target target, @Parameters(paramLabel = "NAME") String name) {
        var node = target.client();
        var found = find(node, name);
        node.delete(SCIM + found.kind().path + "/" + found.id());
        return 0;
    }

    @Command(
            name = "add-member",
            mixinStandardHelpOptions = true,
            description = "Adds a principal to a group.")
    int addMember(
            @Mixin NodeClient.Target target,
            @Parameters(paramLabel = "GROUP") String group,
            @Parameters(paramLabel = "MEMBER") String member) {
        return change(target.client(), group, member, "add");
    }

    @Command(
            name = "remove-member",
            mixinStandardHelpOptions = true,
            description = "Takes a principal out of a group.")
    int removeMember(
            @Mixin NodeClient.Target target,
            @Parameters(paramLabel = "GROUP") String group,
            @Parameters(paramLabel = "MEMBER") String member) {
        return change(target.client(), group, member, "remove");
    }

    private int change(NodeClient node, String group, String member, String operation) {
        var one = find(node, member);
        node.patch(
                SCIM + "Groups/" + find(node, group).id(),
                Map.of(
                        "Operations",
                        List.of(
                                Map.of(
                                        "op",
                                        operation,
                                        "path",
                                        "members",
                                        "value",
                                        List.of(Map.of("value", one.id()))))));
        return 0;
    }

    private static List<Found> all(NodeClient node) {
        var found = new ArrayList<Found>();
        for (var kind : Kind.values()) {
            for (var start = 1; ; ) {
                var page =
                        node.get("%s%s?startIndex=%d&count=1000".formatted(SCIM, kind.path, start));
                page.path("Resources").forEach(one -> found.add(new Found(kind, one)));
                start += page.path("itemsPerPage").asInt();
                if (page.path("itemsPerPage").asInt() == 0
                        || start > page.path("totalResults").asInt()) {
                    break;
                }
            }
        }
        return found;
    }

    private static Found find(NodeClient node, String name) {
        for (var kind : Kind.values()) {
            var attribute = kind == Kind.USER ? "userName" : "displayName";
            var filter =
                    "%s eq \"%s\"".formatted(attribute, name.replaceAll("([\"\\\\])", "\\\\$1"));
            var page = node.get(SCIM + kind.path + "?filter=" + NodeClient.encoded(filter));
            if (page.path("totalResults").asInt() > 0) {
                return new Found(kind, page.path("Resources").get(0));
            }
        }
        throw new LakemillException(
                ErrorCode.NOT_FOUND,
                "there is no principal '%s'".formatted(name),
                "'./lakemill principal list' shows those that there are");
    }

    private void say(String line) {
        var out = spec.commandLine().getOut();
        out.println(line);
        out.flush();
    }
}
