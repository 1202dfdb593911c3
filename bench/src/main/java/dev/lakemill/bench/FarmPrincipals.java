package dev.lakemill.bench;

import java.io.IOException;
import java.sql.DriverManager;
import java.sql.SQLException;

/** Whether the farm's principals can do their work, and nothing beside it. */
final class FarmPrincipals {
    private static final String PERMISSION_DENIED = "42501";

    private final ServerProcess server;
    private final Report.Builder report;

    FarmPrincipals(ServerProcess server, Report.Builder report) {
        this.server = server;
        this.report = report;
    }

    void check() throws IOException, InterruptedException {
        var bronze = "SELECT count(*) FROM farm.bronze.demand_events";
        var gold = "SELECT count(*) FROM farm.gold.stock_position";
        report.check("checker_reads_every_layer", may("farm_checker", bronze));
        report.check("checker_reads_every_layer", may("farm_checker", gold));
        report.check("sensors_read_no_gold", !may("farm_sensors", gold));
        report.check("screen_reads_no_bronze", !may("farm_screen", bronze));
        report.check("screen_reads_serving", mayInPostgres("farm_screen"));
        report.check("sensors_read_no_serving", !mayInPostgres("farm_sensors"));
        report.check("lead_asks_gold_alone", decided("farm_lead", "farm.gold.stock_position"));
        report.check("lead_asks_gold_alone", !decided("farm_lead", "farm.bronze.demand_events"));
        report.check("pipeline_owns_its_tables", owns("farm_pipeline", "farm.gold.stock_position"));
    }

    private boolean may(String principal, String statement)
            throws IOException, InterruptedException {
        var login = server.login(principal);
        var answer = server.rest().login(login.client(), login.secret()).statement(statement);
        var state = answer.body().at("/status/state").asText();
        if (!state.equals("SUCCEEDED") && !answer.body().toString().contains("PERMISSION_DENIED")) {
            throw new IOException(principal + ", " + statement + ": " + answer.body());
        }
        return state.equals("SUCCEEDED");
    }

    private boolean mayInPostgres(String principal) throws IOException, InterruptedException {
        var token = server.login(principal).tokens().get();
        try (var connection =
                        DriverManager.getConnection(server.frontDoorJdbc(), principal, token);
                var statement = connection.createStatement()) {
            statement.execute("SELECT count(*) FROM serving.stock_position");
            return true;
        } catch (SQLException e) {
            // Who is granted nothing there may not even log in.
            if (PERMISSION_DENIED.equals(e.getSQLState()) || e.getSQLState().startsWith("28")) {
                return false;
            }
            throw new IOException(principal + " in Postgres: " + e.getMessage(), e);
        }
    }

    private boolean decided(String principal, String table)
            throws IOException, InterruptedException {
        return server.rest()
                .get(
                        "/api/2.0/access/decision?principal=%s&privilege=SELECT&securable_type=TABLE&full_name=%s"
                                .formatted(principal, table))
                .body()
                .path("allowed")
                .asBoolean();
    }

    private boolean owns(String principal, String table) throws IOException, InterruptedException {
        return server.rest()
                .get("/api/2.1/unity-catalog/tables/" + table)
                .body()
                .path("owner")
                .asText()
                .equals(principal);
    }
}
