package dev.lakemill.catalog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.catalog.GovernanceStatement.Existing;
import dev.lakemill.catalog.GovernanceStatement.Kind;
import dev.lakemill.plan.SourceText;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Decimal;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.PrincipalKind;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.SecurableType;
import dev.lakemill.types.TableName;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

final class GovernanceParserTest {
    private static final TableName X = TableName.parse("main.gold.x");
    private static final Securable TABLE = Securable.table(X);

    @Test
    void grantsAndRevokesAreReadAsDatabricksWritesThem() {
        assertThat(parse("GRANT SELECT ON TABLE main.gold.x TO `team`"))
                .isEqualTo(
                        new GovernanceStatement.GrantPrivileges(
                                Set.of(Privilege.SELECT), TABLE, "team"));
        assertThat(parse("grant use schema, create table on schema main.gold to `a@b.c`;"))
                .isEqualTo(
                        new GovernanceStatement.GrantPrivileges(
                                Set.of(Privilege.USE_SCHEMA, Privilege.CREATE_TABLE),
                                Securable.schema("main", "gold"),
                                "a@b.c"));
        assertThat(parse("REVOKE ALL PRIVILEGES ON main.gold.x FROM `account users`"))
                .isEqualTo(
                        new GovernanceStatement.RevokePrivileges(
                                Set.of(Privilege.ALL_PRIVILEGES), TABLE, "account users"));
        assertThat(parse("GRANT CREATE CATALOG ON METASTORE TO ops"))
                .isEqualTo(
                        new GovernanceStatement.GrantPrivileges(
                                Set.of(Privilege.CREATE_CATALOG), Securable.METASTORE, "ops"));
        assertThat(parse("GRANT EXECUTE ON REGISTERED MODEL main.ml.m TO ops"))
                .isEqualTo(
                        new GovernanceStatement.GrantPrivileges(
                                Set.of(Privilege.EXECUTE),
                                new Securable(SecurableType.REGISTERED_MODEL, "main.ml.m"),
                                "ops"));
    }

    @Test
    void grantsAreShownByPrincipalAndBySecurable() {
        assertThat(parse("SHOW GRANTS ON TABLE main.gold.x"))
                .isEqualTo(
                        new GovernanceStatement.ShowGrants(Optional.empty(), Optional.of(TABLE)));
        assertThat(parse("SHOW GRANTS `a@b.c` ON CATALOG main"))
                .isEqualTo(
                        new GovernanceStatement.ShowGrants(
                                Optional.of("a@b.c"), Optional.of(Securable.catalog("main"))));
        assertThat(parse("SHOW GRANTS team"))
                .isEqualTo(
                        new GovernanceStatement.ShowGrants(Optional.of("team"), Optional.empty()));
    }

    @Test
    void tablesAreAltered() {
        assertThat(parse("ALTER SCHEMA main.gold OWNER TO team"))
                .isEqualTo(
                        new GovernanceStatement.SetOwner(Securable.schema("main", "gold"), "team"));
        assertThat(parse("ALTER TABLE main.gold.x SET ROW FILTER main.p.f ON (region, site)"))
                .isEqualTo(
                        new GovernanceStatement.SetRowFilter(
                                new RowFilter(X, "main.p.f", List.of("region", "site"))));
        assertThat(parse("ALTER TABLE main.gold.x SET ROW FILTER main.p.f ON ()"))
                .isEqualTo(
                        new GovernanceStatement.SetRowFilter(
                                new RowFilter(X, "main.p.f", List.of())));
        assertThat(parse("ALTER TABLE main.gold.x DROP ROW FILTER"))
                .isEqualTo(new GovernanceStatement.DropRowFilter(X));
        assertThat(
                        parse(
                                "ALTER TABLE main.gold.x ALTER COLUMN ssn SET MASK main.p.m"
                                        + " USING COLUMNS (country)"))
                .isEqualTo(
                        new GovernanceStatement.SetMask(
                                new ColumnMask(X, "ssn", "main.p.m", List.of("country"))));
        assertThat(parse("ALTER TABLE main.gold.x ALTER COLUMN ssn DROP MASK"))
                .isEqualTo(new GovernanceStatement.DropMask(X, "ssn"));
        assertThat(parse("ALTER TABLE main.gold.x SET TAGS ('pii' = 'true', 'raw')"))
                .isEqualTo(
                        new GovernanceStatement.SetTags(
                                TABLE, "", Map.of("pii", "true", "raw", "")));
        assertThat(parse("ALTER TABLE main.gold.x ALTER COLUMN c UNSET TAGS ('pii')"))
                .isEqualTo(new GovernanceStatement.UnsetTags(TABLE, "c", Set.of("pii")));
        assertThat(parse("COMMENT ON COLUMN main.gold.x.c IS 'it''s'"))
                .isEqualTo(new GovernanceStatement.Comment(TABLE, "c", "it's"));
        assertThat(parse("COMMENT ON CATALOG main IS NULL"))
                .isEqualTo(new GovernanceStatement.Comment(Securable.catalog("main"), "", ""));
    }

    @Test
    void aFunctionsBodyStaysText() {
        var statement =
                parse(
                        "CREATE OR REPLACE FUNCTION main.p.f(region STRING, n DECIMAL(10,2) COMMENT"
                                + " 'sum') RETURNS BOOLEAN COMMENT 'who sees' RETURN region ="
                                + " 'a;b' OR is_account_group_member('ops');");
        assertThat(statement)
                .isInstanceOfSatisfying(
                        GovernanceStatement.CreateFunction.class,
                        create -> {
                            assertThat(create.name()).isEqualTo("main.p.f");
                            assertThat(create.parameters())
                                    .containsExactly(
                                            Column.nullable("region", Primitive.STRING),
                                            new Column("n", new Decimal(10, 2), true, "sum"));
                            assertThat(create.returns()).isEqualTo(Primitive.BOOLEAN);
                            assertThat(create.comment()).isEqualTo("who sees");
                            assertThat(create.existing()).isEqualTo(Existing.REPLACED);
                            assertThat(create.body().text())
                                    .isEqualTo("region = 'a;b' OR is_account_group_member('ops')");
                        });
        assertThat(parse("DROP FUNCTION IF EXISTS main.p.f"))
                .isEqualTo(
                        new GovernanceStatement.Drop(
                                new Securable(SecurableType.FUNCTION, "main.p.f"), true, false));
    }

    @Test
    void containersAreMadeDroppedAndListed() {
        assertThat(parse("CREATE SCHEMA IF NOT EXISTS main.gold COMMENT 'x'"))
                .isEqualTo(
                        new GovernanceStatement.Create(
                                Securable.schema("main", "gold"), "x", Existing.STAYS));
        assertThat(parse("DROP CATALOG main CASCADE"))
                .isEqualTo(new GovernanceStatement.Drop(Securable.catalog("main"), false, true));
        assertThat(parse("SHOW TABLES IN main.gold LIKE 'a*'"))
                .isEqualTo(
                        new GovernanceStatement.Show(
                                Kind.TABLES, Optional.of(Securable.schema("main", "gold")), "a*"));
        assertThat(parse("DESCRIBE TABLE EXTENDED main.gold.x"))
                .isEqualTo(new GovernanceStatement.Describe(X, true));
    }

    @Test
    void namesAreCompletedFromWhatWasSaidOnce() {
        var defaults = new NameDefaults("main", "gold");
        assertThat(parse("GRANT SELECT ON x TO t", defaults))
                .isEqualTo(
                        new GovernanceStatement.GrantPrivileges(
                                Set.of(Privilege.SELECT), TABLE, "t"));
        assertThat(parse("SHOW TABLES", defaults))
                .isEqualTo(
                        new GovernanceStatement.Show(
                                Kind.TABLES, Optional.of(Securable.schema("main", "gold")), ""));
        assertThat(parse("ALTER TABLE x SET ROW FILTER p.f ON (a)", defaults))
                .isEqualTo(
                        new GovernanceStatement.SetRowFilter(
                                new RowFilter(X, "main.p.f", List.of("a"))));
    }

    @Test
    void queriesAreLeftToOthers() {
        for (var query :
                List.of("SELECT 1", "with a as (select 1) select * from a", "(SELECT 1)")) {
            assertThat(GovernanceParser.parse(new SourceText("sql", query), NameDefaults.NONE))
                    .isEmpty();
        }
    }

    @Test
    void aMistakeIsToldWithItsPlaceAndWhatWasMeant() {
        refused("GRANT SELEC ON TABLE main.gold.x TO t", "sql:1:7", "did you mean SELECT?");
        refused("GRANTS SELECT ON TABLE a.b.c TO t", "sql:1:1", "did you mean GRANT?");
        refused(
                "GRANT SELECT ON TABLE gold.x TO t",
                "'gold.x' is not the full name",
                "schema.name");
        refused("GRANT SELECT ON\n  TABLE a.b.c TO a@b.c", "sql:2:19", "back-ticks");
        refused("SHOW GRNTS ON TABLE a.b.c", "sql:1:6", "did you mean GRANTS?");
        refused("GRANT SELECT ON a.b.c TO t; GRANT MODIFY ON a.b.c TO t", "sql:1:29", "one");
        refused("CREATE TABLE a.b.c (x INT)", "sql:1:8", "pipelines");
        refused("ALTER TABLE a.b.c SET ROW FILTER a.b.f", "expected ON", "(columns)");
        refused("CREATE FUNCTION a.b.f(x NUMBR) RETURNS INT RETURN 1", "sql:1:25", "");
        refused("COMMENT ON TABLE a.b.c IS 'x", "this string has no end", "close it");
        assertThatThrownBy(() -> parse("GRANT SELEC ON a.b.c TO t"))
                .hasMessageContaining("GRANT SELEC ON a.b.c TO t\n      ^");
    }

    @Test
    void principalsAreMadeAndPutIntoGroups() {
        assertThat(parse("CREATE SERVICE PRINCIPAL IF NOT EXISTS farm_sensors"))
                .isEqualTo(
                        new GovernanceStatement.CreatePrincipal(
                                PrincipalKind.SERVICE_PRINCIPAL, "farm_sensors", Existing.STAYS));
        assertThat(parse("CREATE USER `ann@farm.example`"))
                .isEqualTo(
                        new GovernanceStatement.CreatePrincipal(
                                PrincipalKind.USER, "ann@farm.example", Existing.FAILS));
        assertThat(parse("ALTER GROUP viewers ADD USER ann, GROUP leads"))
                .isEqualTo(
                        new GovernanceStatement.ChangeMembers(
                                "viewers", true, List.of("ann", "leads")));
        assertThat(parse("ALTER GROUP viewers DROP SERVICE PRINCIPAL robot"))
                .isEqualTo(
                        new GovernanceStatement.ChangeMembers("viewers", false, List.of("robot")));
        assertThat(parse("DROP GROUP IF EXISTS viewers"))
                .isEqualTo(
                        new GovernanceStatement.DropPrincipal(
                                PrincipalKind.GROUP, "viewers", true));
        refused("ALTER GROUP viewers ADD ann", "sql:1:25", "ALTER GROUP");
    }

    @Test
    void aFileHoldsManyStatementsAndComments() {
        var file = new SourceText("g.sql", "-- who\nCREATE GROUP a;\n\nCREATE GROUP b;\n-- end\n");
        assertThat(GovernanceParser.parseAll(file, NameDefaults.NONE)).hasSize(2);
        var bad = new SourceText("g.sql", "CREATE GROUP a\nCREATE GROUP b;");
        assertThatThrownBy(() -> GovernanceParser.parseAll(bad, NameDefaults.NONE))
                .hasMessageContaining("g.sql:2:1");
    }

    private static void refused(String text, String problem, String hint) {
        assertThatThrownBy(() -> parse(text))
                .isInstanceOfSatisfying(
                        LakemillException.class,
                        e -> {
                            assertThat(e.code()).isEqualTo(ErrorCode.INVALID_ARGUMENT);
                            assertThat(e.problem()).contains(problem);
                            assertThat(e.hint()).contains(hint);
                        });
    }

    private static GovernanceStatement parse(String text) {
        return parse(text, NameDefaults.NONE);
    }

    private static GovernanceStatement parse(String text, NameDefaults defaults) {
        return GovernanceParser.parse(new SourceText("sql", text), defaults).orElseThrow();
    }
}
