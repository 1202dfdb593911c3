package dev.lakemill.postgres;

import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.postgres.imports.Import;
import dev.lakemill.postgres.imports.ImportListener;
import dev.lakemill.postgres.imports.ImportRequest;
import dev.lakemill.postgres.imports.ImportSource;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/** An import in a process of its own, for the tests: says how far it is, and may be killed. */
final class StartImport {
    private StartImport() {}

    /**
     * Arguments: folder, port of the Postgres that has both databases, the owner's password, the
     * admin who imports, the owner of the tables. Prints {@code copied N} as rows come.
     */
    public static void main(String[] args) throws Exception {
        var port = Integer.parseInt(args[1]);
        var url =
                "jdbc:postgresql://127.0.0.1:%d/lakemill?user=lakemill&password=%s"
                        .formatted(port, args[2]);
        var config = new PostgresConfig(url, Path.of(args[0]), null, 0, "", 30);
        try (var postgres = Postgres.start(config)) {
            var catalog = Catalog.open(postgres.owner());
            var audit = RowAudit.open(postgres.owner(), catalog.audit());
            var admin = catalog.principals().find(args[3]).orElseThrow().principal();
            var source =
                    "postgresql://lakemill@127.0.0.1:%d/rented?sslmode=disable".formatted(port);
            var request =
                    new ImportRequest(
                            ImportSource.parse(source, args[2]),
                            List.of(),
                            Set.of(),
                            "moved",
                            args[4]);
            new Import(postgres, catalog, audit, new Saying())
                    .run(request, new Caller(admin, null, "test", "", ""));
            System.out.println("done");
        }
    }

    private static final class Saying implements ImportListener {
        @Override
        public void doing(String what) {}

        @Override
        public void copied(long rows, long bytes, long rowsExpected) {
            System.out.println("copied " + rows);
        }
    }
}
