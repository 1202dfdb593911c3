package dev.lakemill.server;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lakemill.postgres.Doctor;
import dev.lakemill.postgres.Doctor.Finding;
import dev.lakemill.postgres.Doctor.State;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Looks whether a Postgres of one's own is fit to be used. */
@Command(
        name = "doctor",
        mixinStandardHelpOptions = true,
        description = {
            "Looks at the Postgres of postgres.url: version, rights of the URL's user, settings",
            "and extensions; prints the SQL that mends what is missing. Changes nothing.",
            "Exit code 0 when nothing that is needed is missing, 1 otherwise."
        })
final class DoctorCommand implements Callable<Integer> {
    @Spec private CommandSpec spec;

    @Option(
            names = "--project",
            paramLabel = "DIR",
            defaultValue = ".",
            description = "folder with lakemill.yml (default: the current one)")
    private Path project;

    @Option(names = "--json", description = "print one JSON object")
    private boolean json;

    @Override
    public Integer call() throws JsonProcessingException {
        var config = Config.load(project, System.getenv());
        var url = config.text(Setting.POSTGRES_URL);
        var out = spec.commandLine().getOut();
        List<Finding> findings = url.isEmpty() ? List.of() : Doctor.examine(url);
        var isWell = findings.stream().noneMatch(f -> f.state() == State.MISSING);
        if (json) {
            out.println(
                    new ObjectMapper()
                            .writeValueAsString(Map.of("ok", isWell, "findings", findings)));
        } else if (url.isEmpty()) {
            out.println("Postgres is the embedded one, which Lakemill sets up itself.");
        } else {
            for (var finding : findings) {
                out.printf("%-8s %s: %s%n", finding.state(), finding.name(), finding.detail());
                if (!finding.sql().isEmpty()) {
                    out.println("         " + finding.sql());
                }
            }
        }
        out.flush();
        return isWell ? 0 : 1;
    }
}
