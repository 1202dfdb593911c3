package dev.lakemill.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.catalog.TableKind;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import java.nio.file.Path;
import java.sql.SQLException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A database of others, whose user is no superuser: there are no event triggers. */
final class RentedPostgresTest {
    @TempDir Path folder;

    @Test
    void grantsAndPoliciesHoldAndDriftIsUndoneWithoutASuperuser() throws Exception {
        TestFolders.open(folder);
        try (var host = Postgres.start(PostgresConfig.embedded(folder.resolve("pg"), 0))) {
            TestGovernance.trust(folder, host);
            try (var connection = host.ownerUnpooled().getConnection()) {
                TestGovernance.execute(
                        connection,
                        "CREATE ROLE renter LOGIN CREATEROLE",
                        "CREATE DATABASE rented OWNER renter",
                        "GRANT lakemill_reader TO renter WITH ADMIN TRUE",
                        "GRANT lakemill_objects TO renter WITH ADMIN TRUE, INHERIT TRUE, SET TRUE");
            }
            var url = "jdbc:postgresql://127.0.0.1:%d/rented?user=renter".formatted(host.port());
            var rented = new PostgresConfig(url, folder.resolve("rented"), null, 0, "", 0);
            try (var governance = TestGovernance.on(Postgres.start(rented))) {
                tryAll(governance);
            }
        }
    }

    private static void tryAll(TestGovernance governance) throws SQLException {
        var ann = governance.user("ann");
        var team = governance.group("team", ann);
        var table = governance.table("farm.gold.stock", TableKind.STATE);
        governance.function("farm.gold.eu", Primitive.BOOLEAN, "$1 = 'eu'");
        governance.function("farm.gold.stars", Primitive.STRING, "'***'::text");
        governance.open(team, table);
        governance.grant(team, Securable.schema("farm", "gold"), Privilege.CREATE_TABLE);
        governance.filter(table, "farm.gold.eu", "region");
        governance.reconcile();
        assertThat(governance.queryAs(ann, "SELECT * FROM gold.stock")).containsExactly("1|eu|s1");
        governance.mask(table, "secret", "farm.gold.stars");
        governance.reconcile();
        assertThat(governance.queryAs(ann, "SELECT * FROM gold.stock")).containsExactly("1|eu|***");
        assertThatThrownBy(() -> governance.executeAs(ann, "CREATE TABLE gold.made (id int)"))
                .hasMessageContaining("permission denied");
        governance.execute("GRANT INSERT ON gold.stock TO PUBLIC");
        governance.reconcile();
        assertThat(governance.query("SELECT has_table_privilege('ann', 'gold.stock', 'INSERT')"))
                .containsExactly("f");
        try (var session = governance.login(ann)) {
            governance
                    .catalog
                    .principals()
                    .update(governance.system(), ann.id(), p -> p.withActive(false));
            governance.reconcile();
            assertThatThrownBy(() -> TestGovernance.query(session, "SELECT 1"))
                    .hasMessageContaining("terminat");
        }
        governance.catalog.principals().delete(governance.system(), ann.id());
        governance.reconcile();
        assertThat(governance.query("SELECT FROM pg_roles WHERE rolname = 'ann'")).isEmpty();
    }
}
