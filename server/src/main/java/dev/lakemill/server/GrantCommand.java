package dev.lakemill.server;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** GRANT and REVOKE without quotes round names: the shell would take back-ticks for itself. */
final class GrantCommand {
    @Command(
            name = "grant",
            mixinStandardHelpOptions = true,
            description = "Grants privileges: ./lakemill grant SELECT ON TABLE c.s.t TO a@b.c")
    static final class Grant implements Runnable {
        @Spec private CommandSpec spec;
        @Mixin private SqlTarget target;

        @Parameters(arity = "1..*", paramLabel = "WORD", description = "privileges ON … TO whom")
        private List<String> words;

        @Override
        public void run() {
            target.client().run(statement("GRANT", words, "TO"));
            spec.commandLine().getOut().println("granted");
        }
    }

    @Command(
            name = "revoke",
            mixinStandardHelpOptions = true,
            description = "Takes them back: ./lakemill revoke SELECT ON TABLE c.s.t FROM a@b.c")
    static final class Revoke implements Runnable {
        @Spec private CommandSpec spec;
        @Mixin private SqlTarget target;

        @Parameters(arity = "1..*", paramLabel = "WORD", description = "privileges ON … FROM whom")
        private List<String> words;

        @Override
        public void run() {
            target.client().run(statement("REVOKE", words, "FROM"));
            spec.commandLine().getOut().println("revoked");
        }
    }

    private GrantCommand() {}

    /** The statement, with everything behind the last TO or FROM as one name. */
    static String statement(String verb, List<String> words, String before) {
        var place = -1;
        for (int i = 0; i < words.size(); i++) {
            place = words.get(i).equalsIgnoreCase(before) ? i : place;
        }
        if (place < 0 || place == words.size() - 1) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "nobody is named",
                    "write ./lakemill %s SELECT ON TABLE c.s.t %s somebody"
                            .formatted(verb.toLowerCase(java.util.Locale.ROOT), before));
        }
        var name = String.join(" ", words.subList(place + 1, words.size())).replace("`", "");
        return "%s %s %s `%s`"
                .formatted(verb, String.join(" ", words.subList(0, place)), before, name);
    }
}
