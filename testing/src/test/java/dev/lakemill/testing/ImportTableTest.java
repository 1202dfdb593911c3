package dev.lakemill.testing;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Holds the import table of ARCHITECTURE.md: who may import whom, and which library is whose. */
class ImportTableTest {
    private static final Map<String, List<String>> MAY_IMPORT = new LinkedHashMap<>();

    static {
        MAY_IMPORT.put("types", List.of());
        MAY_IMPORT.put("api", List.of("types"));
        MAY_IMPORT.put("wal", List.of("types"));
        MAY_IMPORT.put("delta", List.of("types"));
        MAY_IMPORT.put("feed", List.of("types", "delta"));
        MAY_IMPORT.put("catalog", List.of("types", "plan"));
        MAY_IMPORT.put("postgres", List.of("types", "plan", "catalog", "delta"));
        MAY_IMPORT.put("identity", List.of("types", "catalog"));
        MAY_IMPORT.put("ingest", List.of("types", "api", "wal", "delta", "feed", "catalog"));
        MAY_IMPORT.put("plan", List.of("types"));
        MAY_IMPORT.put("compiler", List.of("types", "plan"));
        MAY_IMPORT.put("pipeline", List.of("types", "plan", "delta", "feed", "catalog"));
        MAY_IMPORT.put("sync", List.of("types", "delta", "feed", "catalog", "postgres"));
        MAY_IMPORT.put("capture", List.of("types", "delta", "catalog", "postgres"));
        MAY_IMPORT.put("agents", List.of("types", "catalog", "postgres"));
        MAY_IMPORT.put("farm", List.of("api", "types"));
    }

    /** A library and the modules that alone may use it. */
    private static final Map<String, List<String>> OWNERS =
            Map.ofEntries(
                    Map.entry("io.delta..", List.of("delta")),
                    Map.entry("org.apache.parquet..", List.of("delta")),
                    Map.entry("org.apache.spark..", List.of("compiler")),
                    Map.entry("com.google.common.hash..", List.of("pipeline")),
                    Map.entry("ai.onnxruntime..", List.of("pipeline", "bench")),
                    Map.entry("org.tribuo..", List.of("farm")),
                    Map.entry("software.amazon.awssdk..", List.of("pipeline")),
                    Map.entry("org.duckdb..", List.of("pipeline", "bench")),
                    Map.entry("io.grpc..", List.of("api", "ingest", "bench")),
                    Map.entry("io.netty..", List.of("api", "ingest", "postgres")),
                    Map.entry("com.ongres.scram..", List.of("postgres")),
                    Map.entry("io.vertx..", List.of("server")),
                    Map.entry("picocli..", List.of("server", "bench")),
                    Map.entry("com.nimbusds..", List.of("identity")),
                    Map.entry("com.zaxxer.hikari..", List.of("catalog", "postgres")),
                    Map.entry("org.postgresql..", List.of("postgres", "sync", "capture", "bench")),
                    Map.entry("jakarta.mail..", List.of("agents", "farm")),
                    Map.entry("com.icegreen..", List.of("farm")),
                    Map.entry("org.openjdk.jmh..", List.of("bench")),
                    Map.entry("org.apache.kafka..", List.of("bench")),
                    Map.entry("io.debezium..", List.of("bench")),
                    Map.entry("io.trino..", List.of("bench")));

    private static JavaClasses all = new ClassFileImporter().importPackages("none");

    @BeforeAll
    static void readClasses() {
        var root = Path.of(System.getProperty("lakemill.root"));
        var folders = new ArrayList<Path>();
        for (var module :
                List.of(
                        "types",
                        "api",
                        "wal",
                        "delta",
                        "feed",
                        "catalog",
                        "postgres",
                        "identity",
                        "ingest",
                        "plan",
                        "compiler",
                        "pipeline",
                        "sync",
                        "capture",
                        "agents",
                        "server",
                        "bench",
                        "examples/vertical-farm")) {
            var classes = root.resolve(module).resolve("target/classes");
            Assertions.assertThat(Files.isDirectory(classes)).as("%s is built", module).isTrue();
            folders.add(classes);
        }
        all =
                new ClassFileImporter()
                        .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                        .importPaths(folders);
    }

    @Test
    void modulesImportOnlyWhatTheTableAllows() {
        MAY_IMPORT.forEach(
                (module, allowed) -> {
                    var forbidden =
                            MAY_IMPORT.keySet().stream()
                                    .filter(m -> !m.equals(module) && !allowed.contains(m))
                                    .map(m -> "dev.lakemill." + m + "..")
                                    .toList();
                    noClasses()
                            .that()
                            .resideInAPackage("dev.lakemill." + module + "..")
                            .should()
                            .dependOnClassesThat()
                            .resideInAnyPackage(forbidden.toArray(String[]::new))
                            .allowEmptyShould(false)
                            .check(all);
                });
    }

    @Test
    void nobodyImportsTheServer() {
        noClasses()
                .that()
                .resideOutsideOfPackages("dev.lakemill.server..", "dev.lakemill.bench..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("dev.lakemill.server..")
                .check(all);
    }

    @Test
    void everyHeavyLibraryHasItsOwner() {
        OWNERS.forEach(
                (library, owners) ->
                        noClasses()
                                .that()
                                .resideOutsideOfPackages(
                                        owners.stream()
                                                .map(m -> "dev.lakemill." + m + "..")
                                                .toArray(String[]::new))
                                .and()
                                .resideInAPackage("dev.lakemill..")
                                .should()
                                .dependOnClassesThat()
                                .resideInAPackage(library)
                                .check(all));
    }

    @Test
    void theLogUsesTheJdkAlone() {
        classes()
                .that()
                .resideInAPackage("dev.lakemill.wal")
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage(
                        "java..",
                        "dev.lakemill.wal",
                        "dev.lakemill.types",
                        "org.jspecify..",
                        "org.slf4j..")
                .check(all);
    }

    @Test
    void packagesAreFreeOfCycles() {
        com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices()
                .matching("dev.lakemill.(*)..")
                .should()
                .beFreeOfCycles()
                .check(all);
    }
}
