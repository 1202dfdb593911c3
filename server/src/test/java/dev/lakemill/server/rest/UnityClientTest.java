package dev.lakemill.server.rest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.Securable;
import dev.lakemill.types.TableSchema;
import io.unitycatalog.client.ApiException;
import io.unitycatalog.client.api.CatalogsApi;
import io.unitycatalog.client.api.CredentialsApi;
import io.unitycatalog.client.api.ExternalLocationsApi;
import io.unitycatalog.client.api.FunctionsApi;
import io.unitycatalog.client.api.GrantsApi;
import io.unitycatalog.client.api.MetastoresApi;
import io.unitycatalog.client.api.ModelVersionsApi;
import io.unitycatalog.client.api.RegisteredModelsApi;
import io.unitycatalog.client.api.SchemasApi;
import io.unitycatalog.client.api.TablesApi;
import io.unitycatalog.client.api.TemporaryCredentialsApi;
import io.unitycatalog.client.api.VolumesApi;
import io.unitycatalog.client.model.AwsIamRoleRequest;
import io.unitycatalog.client.model.ColumnInfo;
import io.unitycatalog.client.model.ColumnTypeName;
import io.unitycatalog.client.model.CreateCatalog;
import io.unitycatalog.client.model.CreateCredentialRequest;
import io.unitycatalog.client.model.CreateExternalLocation;
import io.unitycatalog.client.model.CreateFunction;
import io.unitycatalog.client.model.CreateFunctionRequest;
import io.unitycatalog.client.model.CreateModelVersion;
import io.unitycatalog.client.model.CreateRegisteredModel;
import io.unitycatalog.client.model.CreateSchema;
import io.unitycatalog.client.model.CreateTable;
import io.unitycatalog.client.model.CreateVolumeRequestContent;
import io.unitycatalog.client.model.CredentialPurpose;
import io.unitycatalog.client.model.DataSourceFormat;
import io.unitycatalog.client.model.FinalizeModelVersion;
import io.unitycatalog.client.model.FunctionParameterInfo;
import io.unitycatalog.client.model.FunctionParameterInfos;
import io.unitycatalog.client.model.GenerateTemporaryModelVersionCredential;
import io.unitycatalog.client.model.GenerateTemporaryPathCredential;
import io.unitycatalog.client.model.GenerateTemporaryTableCredential;
import io.unitycatalog.client.model.GenerateTemporaryVolumeCredential;
import io.unitycatalog.client.model.ModelVersionOperation;
import io.unitycatalog.client.model.ModelVersionStatus;
import io.unitycatalog.client.model.PathOperation;
import io.unitycatalog.client.model.PermissionsChange;
import io.unitycatalog.client.model.Privilege;
import io.unitycatalog.client.model.SecurableType;
import io.unitycatalog.client.model.TableOperation;
import io.unitycatalog.client.model.TableType;
import io.unitycatalog.client.model.UpdateCatalog;
import io.unitycatalog.client.model.UpdateCredentialRequest;
import io.unitycatalog.client.model.UpdateExternalLocation;
import io.unitycatalog.client.model.UpdateModelVersion;
import io.unitycatalog.client.model.UpdatePermissions;
import io.unitycatalog.client.model.UpdateRegisteredModel;
import io.unitycatalog.client.model.UpdateSchema;
import io.unitycatalog.client.model.UpdateVolumeRequestContent;
import io.unitycatalog.client.model.VolumeOperation;
import io.unitycatalog.client.model.VolumeType;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Everything that Unity Catalog's own client can ask of external tables, models and grants. */
class UnityClientTest {
    private static final TableSchema SALES =
            TableSchema.of(
                    Column.required("id", DataType.Primitive.LONG),
                    Column.nullable("amount", new DataType.Decimal(10, 2)),
                    Column.nullable("tags", new DataType.Array(DataType.Primitive.STRING, true)));

    private final RestServer server = RestServer.shared();

    @BeforeAll
    static void start() throws Exception {
        var started = RestServer.shared();
        started.principal("ann");
        started.call("admin", "POST", "/catalogs", Map.of("name", "main"));
        started.call("admin", "POST", "/schemas", Map.of("name", "s", "catalog_name", "main"));
    }

    @AfterAll
    static void everyAnswerFittedTheFile() {
        assertThat(RestServer.shared().faults()).isEmpty();
    }

    @Test
    void makesChangesAndDropsCatalogsAndSchemas() throws Exception {
        var catalogs = new CatalogsApi(server.client("admin"));
        var schemas = new SchemasApi(server.client("admin"));
        var made =
                catalogs.createCatalog(
                        new CreateCatalog().name("c1").comment("one").properties(Map.of("a", "b")));
        assertThat(made.getOwner()).isEqualTo("admin");
        assertThat(made.getProperties()).containsEntry("a", "b");
        assertThat(made.getCreatedAt()).isPositive();
        schemas.createSchema(new CreateSchema().catalogName("c1").name("s1"));
        assertThat(schemas.getSchema("c1.s1").getProperties()).isEmpty();
        assertThat(schemas.listSchemas("c1", 0, null).getSchemas()).hasSize(1);
        assertThat(
                        catalogs.updateCatalog(
                                        "c1", new UpdateCatalog().comment("two").newName("c2"))
                                .getName())
                .isEqualTo("c2");
        assertThat(schemas.updateSchema("c2.s1", new UpdateSchema().newName("s2")).getFullName())
                .isEqualTo("c2.s2");
        assertStatus(409, () -> catalogs.deleteCatalog("c2", false));
        catalogs.deleteCatalog("c2", true);
        assertStatus(404, () -> catalogs.getCatalog("c2"));
        assertThat(catalogs.listCatalogs(null, null).getCatalogs())
                .extracting(c -> c.getName())
                .contains("main");
    }

    @Test
    void tellsWhatIsTakenWithStatus409AndTheCodeOfItsKind() {
        var schemas = new SchemasApi(server.client("admin"));
        assertThatThrownBy(
                        () ->
                                schemas.createSchema(
                                        new CreateSchema().catalogName("main").name("S")))
                .isInstanceOfSatisfying(
                        ApiException.class,
                        e -> {
                            assertThat(e.getCode()).isEqualTo(409);
                            assertThat(e.getResponseBody()).contains("SCHEMA_ALREADY_EXISTS");
                        });
    }

    @Test
    void registersAnExternalDeltaTableAndReadsItsColumnsFromItsLog() throws Exception {
        var tables = new TablesApi(server.client("admin"));
        var location = server.deltaTable("sales", SALES);
        var made =
                tables.createTable(
                        new CreateTable()
                                .name("sales")
                                .catalogName("main")
                                .schemaName("s")
                                .tableType(TableType.EXTERNAL)
                                .dataSourceFormat(DataSourceFormat.DELTA)
                                .columns(List.of())
                                .storageLocation(location)
                                .comment("what was sold"));
        assertThat(made.getTableType()).isEqualTo(TableType.EXTERNAL);
        assertThat(made.getStorageLocation()).isEqualTo(location);
        assertThat(made.getProperties()).isEmpty();
        assertThat(made.getColumns())
                .extracting(ColumnInfo::getTypeText)
                .containsExactly("bigint", "decimal(10,2)", "array<string>");
        assertThat(made.getColumns())
                .extracting(ColumnInfo::getTypeName)
                .containsExactly(ColumnTypeName.LONG, ColumnTypeName.DECIMAL, ColumnTypeName.ARRAY);
        assertThat(made.getColumns().getFirst().getNullable()).isFalse();
        assertThat(made.getColumns().get(1).getTypePrecision()).isEqualTo(10);
        assertThat(tables.getTable("main.s.sales", true, true)).isEqualTo(made);
        assertThat(tables.listTables("main", "s", 0, null).getTables()).contains(made);

        server.grant(
                "admin",
                Securable.schema("main", "s"),
                dev.lakemill.types.Privilege.EXTERNAL_USE_SCHEMA);
        var credentials = new TemporaryCredentialsApi(server.client("admin"));
        var vended =
                credentials.generateTemporaryTableCredentials(
                        new GenerateTemporaryTableCredential()
                                .tableId(made.getTableId())
                                .operation(TableOperation.READ_WRITE));
        assertThat(vended.getUrl()).isEqualTo(location);
        assertThat(vended.getAwsTempCredentials()).isNull();

        tables.deleteTable("main.s.sales");
        assertStatus(404, () -> tables.getTable("main.s.sales", null, null));
    }

    @Test
    void registersATableWithGivenColumnsInEitherForm() throws Exception {
        var tables = new TablesApi(server.client("admin"));
        var made =
                tables.createTable(
                        new CreateTable()
                                .name("later")
                                .catalogName("main")
                                .schemaName("s")
                                .tableType(TableType.EXTERNAL)
                                .dataSourceFormat(DataSourceFormat.DELTA)
                                .storageLocation("file://" + server.folder.resolve("lake/later"))
                                .columns(
                                        List.of(
                                                new ColumnInfo()
                                                        .name("id")
                                                        .typeText("int")
                                                        .typeJson("\"integer\"")
                                                        .typeName(ColumnTypeName.INT)
                                                        .position(0),
                                                new ColumnInfo()
                                                        .name("who")
                                                        .typeText("struct<name:string>")
                                                        .typeName(ColumnTypeName.STRUCT)
                                                        .position(1))));
        assertThat(made.getColumns())
                .extracting(ColumnInfo::getTypeText)
                .containsExactly("int", "struct<name:string>");
        tables.deleteTable("main.s.later");
    }

    @Test
    void pagesWithoutRepeatingOrSkipping() throws Exception {
        var schemas = new SchemasApi(server.client("admin"));
        server.call("admin", "POST", "/catalogs", Map.of("name", "pages"));
        for (var name : List.of("a", "b", "c", "d", "e")) {
            schemas.createSchema(new CreateSchema().catalogName("pages").name(name));
        }
        var first = schemas.listSchemas("pages", 2, null);
        schemas.deleteSchema("pages.b", false);
        var second = schemas.listSchemas("pages", 2, first.getNextPageToken());
        var third = schemas.listSchemas("pages", 2, second.getNextPageToken());
        assertThat(first.getSchemas()).extracting(s -> s.getName()).containsExactly("a", "b");
        assertThat(second.getSchemas()).extracting(s -> s.getName()).containsExactly("c", "d");
        assertThat(third.getSchemas()).extracting(s -> s.getName()).containsExactly("e");
        assertThat(third.getNextPageToken()).isNull();
    }

    @Test
    void keepsVolumesLocationsAndCredentials() throws Exception {
        var volumes = new VolumesApi(server.client("admin"));
        var made =
                volumes.createVolume(
                        new CreateVolumeRequestContent()
                                .catalogName("main")
                                .schemaName("s")
                                .name("files")
                                .volumeType(VolumeType.EXTERNAL)
                                .comment("files")
                                .storageLocation("file://" + server.folder.resolve("lake/files")));
        assertThat(volumes.getVolume("main.s.files")).isEqualTo(made);
        var vended =
                new TemporaryCredentialsApi(server.client("admin"))
                        .generateTemporaryVolumeCredentials(
                                new GenerateTemporaryVolumeCredential()
                                        .volumeId(made.getVolumeId())
                                        .operation(VolumeOperation.WRITE_VOLUME));
        assertThat(vended.getUrl()).isEqualTo(made.getStorageLocation());
        assertThat(
                        volumes.updateVolume(
                                        "main.s.files",
                                        new UpdateVolumeRequestContent()
                                                .comment("more")
                                                .newName("files2"))
                                .getComment())
                .isEqualTo("more");
        assertThat(volumes.listVolumes("main", "s", null, null).getVolumes())
                .extracting(v -> v.getName())
                .contains("files2");
        volumes.deleteVolume("main.s.files2");
        assertStatus(404, () -> volumes.getVolume("main.s.files2"));

        var credentials = new CredentialsApi(server.client("admin"));
        credentials.createCredential(
                new CreateCredentialRequest()
                        .name("role")
                        .purpose(CredentialPurpose.STORAGE)
                        .awsIamRole(new AwsIamRoleRequest().roleArn("arn:aws:iam::1:role/x")));
        assertThat(credentials.getCredential("role").getAwsIamRole().getRoleArn())
                .isEqualTo("arn:aws:iam::1:role/x");
        credentials.updateCredential("role", new UpdateCredentialRequest().comment("c"));
        var locations = new ExternalLocationsApi(server.client("admin"));
        locations.createExternalLocation(
                new CreateExternalLocation()
                        .name("bucket")
                        .url("s3://bucket/x")
                        .credentialName("role"));
        locations.updateExternalLocation("bucket", new UpdateExternalLocation().comment("c"));
        assertThat(locations.getExternalLocation("bucket").getUrl()).isEqualTo("s3://bucket/x");
        assertThat(locations.listExternalLocations(null, null).getExternalLocations())
                .extracting(l -> l.getName())
                .contains("bucket", "lake");
        locations.deleteExternalLocation("bucket", false);
        assertThat(credentials.listCredentials(null, null, null).getCredentials()).isNotEmpty();
        credentials.deleteCredential("role", false);
        assertStatus(404, () -> credentials.getCredential("role"));
    }

    @Test
    void vendsAPathBelowAnExternalLocationUnlessATableLiesThere() throws Exception {
        var credentials = new TemporaryCredentialsApi(server.client("admin"));
        var free = "file://" + server.folder.resolve("lake/free");
        assertThat(
                        credentials
                                .generateTemporaryPathCredentials(
                                        new GenerateTemporaryPathCredential()
                                                .url(free)
                                                .operation(PathOperation.PATH_CREATE_TABLE))
                                .getUrl())
                .isEqualTo(free);
        assertStatus(
                403,
                () ->
                        credentials.generateTemporaryPathCredentials(
                                new GenerateTemporaryPathCredential()
                                        .url("file:///nowhere")
                                        .operation(PathOperation.PATH_READ)));
    }

    @Test
    void keepsFunctions() throws Exception {
        var functions = new FunctionsApi(server.client("admin"));
        var made =
                functions.createFunction(
                        new CreateFunctionRequest()
                                .functionInfo(
                                        new CreateFunction()
                                                .name("above")
                                                .catalogName("main")
                                                .schemaName("s")
                                                .dataType(ColumnTypeName.BOOLEAN)
                                                .fullDataType("BOOLEAN")
                                                .inputParams(
                                                        new FunctionParameterInfos()
                                                                .parameters(List.of(parameter())))
                                                .routineBody(CreateFunction.RoutineBodyEnum.SQL)
                                                .routineDefinition("x > 3")
                                                .parameterStyle(CreateFunction.ParameterStyleEnum.S)
                                                .isDeterministic(true)
                                                .sqlDataAccess(
                                                        CreateFunction.SqlDataAccessEnum
                                                                .CONTAINS_SQL)
                                                .isNullCall(true)
                                                .securityType(
                                                        CreateFunction.SecurityTypeEnum.DEFINER)
                                                .specificName("above")));
        assertThat(functions.getFunction("main.s.above")).isEqualTo(made);
        assertThat(made.getRoutineDefinition()).isEqualTo("x > 3");
        assertThat(functions.listFunctions("main", "s", null, null).getFunctions()).contains(made);
        functions.deleteFunction("main.s.above");
        assertStatus(404, () -> functions.getFunction("main.s.above"));
    }

    private static FunctionParameterInfo parameter() {
        return new FunctionParameterInfo()
                .name("x")
                .typeText("int")
                .typeJson("\"integer\"")
                .typeName(ColumnTypeName.INT)
                .position(0);
    }

    @Test
    void keepsModelsAndTheirVersions() throws Exception {
        var models = new RegisteredModelsApi(server.client("admin"));
        var versions = new ModelVersionsApi(server.client("admin"));
        models.createRegisteredModel(
                new CreateRegisteredModel().catalogName("main").schemaName("s").name("m"));
        assertThat(models.listRegisteredModels(null, null, 100, null).getRegisteredModels())
                .extracting(m -> m.getFullName())
                .contains("main.s.m");
        var version =
                versions.createModelVersion(
                        new CreateModelVersion()
                                .catalogName("main")
                                .schemaName("s")
                                .modelName("m")
                                .source("file:///here")
                                .runId("run"));
        assertThat(version.getVersion()).isEqualTo(1);
        assertThat(version.getStatus()).isEqualTo(ModelVersionStatus.PENDING_REGISTRATION);
        var vended =
                new TemporaryCredentialsApi(server.client("admin"))
                        .generateTemporaryModelVersionCredentials(
                                new GenerateTemporaryModelVersionCredential()
                                        .catalogName("main")
                                        .schemaName("s")
                                        .modelName("m")
                                        .version(1L)
                                        .operation(ModelVersionOperation.READ_WRITE_MODEL_VERSION));
        assertThat(vended.getUrl()).isEqualTo(version.getStorageLocation());
        assertThat(
                        versions.finalizeModelVersion(
                                        "main.s.m",
                                        1L,
                                        new FinalizeModelVersion().fullName("main.s.m").version(1L))
                                .getStatus())
                .isEqualTo(ModelVersionStatus.READY);
        versions.updateModelVersion("main.s.m", 1L, new UpdateModelVersion().comment("good"));
        assertThat(versions.getModelVersion("main.s.m", 1L).getComment()).isEqualTo("good");
        assertThat(versions.listModelVersions("main.s.m", null, null).getModelVersions())
                .hasSize(1);
        assertThat(
                        models.updateRegisteredModel(
                                        "main.s.m",
                                        new UpdateRegisteredModel().comment("c").newName("n"))
                                .getFullName())
                .isEqualTo("main.s.n");
        versions.deleteModelVersion("main.s.n", 1L);
        models.deleteRegisteredModel("main.s.n", true);
        assertStatus(404, () -> models.getRegisteredModel("main.s.n"));
    }

    @Test
    void grantsAndTakesInTheOpenSourceSpelling() throws Exception {
        var grants = new GrantsApi(server.client("admin"));
        var after =
                grants.update(
                        SecurableType.SCHEMA,
                        "main.s",
                        new UpdatePermissions()
                                .changes(
                                        List.of(
                                                new PermissionsChange()
                                                        .principal("ann")
                                                        .add(
                                                                List.of(
                                                                        Privilege.USE_SCHEMA,
                                                                        Privilege.SELECT))
                                                        .remove(List.of()))));
        assertThat(after.getPrivilegeAssignments())
                .anySatisfy(
                        a -> {
                            assertThat(a.getPrincipal()).isEqualTo("ann");
                            assertThat(a.getPrivileges())
                                    .containsExactlyInAnyOrder(
                                            Privilege.USE_SCHEMA, Privilege.SELECT);
                        });
        assertThat(grants.get(SecurableType.SCHEMA, "main.s", "ann").getPrivilegeAssignments())
                .hasSize(1);
        grants.update(
                SecurableType.SCHEMA,
                "main.s",
                new UpdatePermissions()
                        .changes(
                                List.of(
                                        new PermissionsChange()
                                                .principal("ann")
                                                .add(List.of())
                                                .remove(
                                                        List.of(
                                                                Privilege.USE_SCHEMA,
                                                                Privilege.SELECT)))));
        assertThat(grants.get(SecurableType.SCHEMA, "main.s", "ann").getPrivilegeAssignments())
                .isEmpty();
    }

    @Test
    void knowsItsMetastore() throws Exception {
        var summary = new MetastoresApi(server.client("ann")).summary();
        assertThat(summary.getMetastoreId()).isNotBlank();
        assertThat(
                        new GrantsApi(server.client("admin"))
                                .get(SecurableType.METASTORE, summary.getMetastoreId(), null)
                                .getPrivilegeAssignments())
                .isEmpty();
    }

    private interface Call {
        void run() throws Exception;
    }

    private static void assertStatus(int status, Call call) {
        assertThatThrownBy(call::run)
                .isInstanceOfSatisfying(
                        ApiException.class, e -> assertThat(e.getCode()).isEqualTo(status));
    }
}
