package dev.lakemill.server;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lakemill.capture.CaptureSetup;
import dev.lakemill.postgres.Doctor;
import dev.lakemill.postgres.Doctor.Finding;
import dev.lakemill.postgres.Doctor.State;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
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
            "Exit code 0 when nothing that is needed is missing, 1 otherwise.",
            "",
            "Where capture.schemas is set and the URL's user is no superuser, --capture-sql prints",
            "what a superuser runs once in that database, and again after an upgrade that says so."
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

    @Option(
            names = "--capture-sql",
            description = "print the SQL that capture needs a superuser for, and nothing else")
    private boolean captureSql;

    @Override
    public Integer call() throws JsonProcessingException, SQLException {
        var config = Config.load(project, System.getenv());
        var url = config.text(Setting.POSTGRES_URL);
        var out = spec.commandLine().getOut();
        var findings = new ArrayList<Finding>(url.isEmpty() ? List.of() : Doctor.examine(url));
        if (!url.isEmpty() && (captureSql || !config.text(Setting.CAPTURE_SCHEMAS).isBlank())) {
            try (var connection = DriverManager.getConnection(url)) {
                if (captureSql) {
                    out.print(CaptureSetup.sql(connection.getMetaData().getUserName()));
                    out.flush();
                    return 0;
                }
                findings.add(capture(connection));
            }
        }
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

    private static Finding capture(Connection connection) throws SQLException {
        return CaptureSetup.isDone(connection)
                ? new Finding("capture", State.OK, "state tables can be read into the lake", "")
                : new Finding(
                        "capture",
                        State.MISSING,
                        "event triggers and publications of schemas, which a superuser sets up",
                        "-- what './lakemill doctor --capture-sql' prints");
    }
}
