package dev.lakemill.server.apps;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.SecurableType;
import org.junit.jupiter.api.Test;

/** What a manifest may say, and where it is told what it may not. */
final class AppManifestTest {
    private static AppManifest read(String text) {
        return AppManifestReader.read("app.yaml", text);
    }

    @Test
    void databricksManifestIsTakenUnchanged() {
        var manifest =
                read(
                        """
                        command: ["streamlit", "run", "app.py", "--server.port", "$DATABRICKS_APP_PORT"]
                        env:
                          - name: "WAREHOUSE"
                            valueFrom: "orders"
                          - name: STREAMLIT_GATHER_USAGE_STATS
                            value: "false"
                        resources:
                          - name: orders
                            description: what is sold
                            uc_securable:
                              securable_full_name: shop.sales.orders
                              securable_type: TABLE
                              permission: SELECT
                          - name: writer
                            serving_endpoint: {name: writer, permission: CAN_QUERY}
                        user_api_scopes: [sql]
                        """);
        assertThat(manifest.command()).startsWith("streamlit", "run");
        assertThat(manifest.env()).hasSize(2);
        assertThat(manifest.scopes()).containsExactly("sql");
        assertThat(manifest.needs())
                .contains(
                        need(SecurableType.REGISTERED_MODEL, "system.ai.writer", Privilege.EXECUTE))
                .filteredOn(need -> !need.on().name().startsWith("system"))
                .containsExactlyInAnyOrder(
                        need(SecurableType.TABLE, "shop.sales.orders", Privilege.SELECT),
                        need(SecurableType.SCHEMA, "shop.sales", Privilege.USE_SCHEMA),
                        need(SecurableType.CATALOG, "shop", Privilege.USE_CATALOG));
    }

    private static AppResource.Need need(SecurableType type, String name, Privilege privilege) {
        return new AppResource.Need(new Securable(type, name), privilege);
    }

    @Test
    void whatItDoesNotKnowIsToldWithItsPlace() {
        refused("comand: [a]", "app.yaml:1:1: 'comand' is not a key here");
        refused("command: a b", "app.yaml:1:10: this is not a list");
        refused("command: [a]\ncommand: [b]", "app.yaml:2:1: 'command' stands there twice");
        refused("command: [a]\nlakemill: {memory: 1}", "app.yaml:2:12: 'memory'");
        refused("command: [a]\nenv:\n  - name: LD_PRELOAD\n    value: x", "app.yaml:3:5:");
        refused("command: [a]\nenv:\n  - {name: A, valueFrom: b}", "app.yaml:3:26:");
        refused("command: [a\n", "app.yaml:2:1:");
        refused("lakemill: {static: ../../etc}", "app.yaml:1:20:");
        refused("env: []", "neither a command nor");
        refused("command: [a]\nuser_api_scopes: [all-apis]", "app.yaml:2:19: 'all-apis'");
        refused("&a [*a]", "app.yaml:1:1");
    }

    @Test
    void noResourceGivesMoreThanUse() {
        var table =
                "command: [a]\nresources:\n  - name: t\n    uc_securable:"
                        + " {securable_full_name: a.b.c, securable_type: TABLE, permission: %s}";
        refused(table.formatted("MANAGE"), "MANAGE on a TABLE is not for apps");
        refused(table.formatted("ALL PRIVILEGES"), "is not for apps");
        refused(table.formatted("EXECUTE"), "is not for apps");
        refused(
                "command: [a]\nresources: [{name: s, secret: {scope: .., key: k, permission: READ}}]",
                "'..' is no name");
    }

    private static void refused(String text, String problem) {
        assertThatThrownBy(() -> read(text)).hasMessageContaining(problem);
    }
}
