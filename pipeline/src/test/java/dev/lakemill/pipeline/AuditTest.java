package dev.lakemill.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.apache.arrow.memory.RootAllocator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class AuditTest {
    @TempDir Path folder;

    @Test
    void equalContentIsEqual() {
        var audit = audit("VALUES ('a', 1, 0.1), ('a', 1, 0.1), (NULL, NULL, 'nan')", "TABLE v");
        assertThat(audit).isEqualTo(new ViewAudit(audit.view(), 3, 0, 0, 0, ""));
        assertThat(audit.equal()).isTrue();
    }

    @Test
    void missingAndSurplusRowsAreCountedWithAnExample() {
        var audit =
                audit(
                        "VALUES ('a', 1, 0.1), ('a', 1, 0.1), ('b', 2, 0.5)",
                        "VALUES ('a', 1, 0.1), ('c', 3, 0.5), ('c', 3, 0.5)");
        assertThat(audit.rows()).isEqualTo(3);
        assertThat(audit.missing()).isEqualTo(2);
        assertThat(audit.surplus()).isEqualTo(2);
        assertThat(audit.rounded()).isZero();
        assertThat(audit.example()).contains("name");
        assertThat(audit.equal()).isFalse();
    }

    @Test
    void theLastDigitOfAFloatingPointSumIsNoDifference() {
        var audit =
                audit(
                        "VALUES ('a', 1, 0.1::DOUBLE + 0.2::DOUBLE), ('b', 2, 1e300), ('c', 3, 5.0)",
                        "VALUES ('a', 1, 0.3), ('b', 2, 1e300 * (1 + 1e-15)), ('c', 3, 5.1)");
        assertThat(List.of(audit.missing(), audit.surplus())).containsExactly(1L, 1L);
        assertThat(audit.rounded()).isEqualTo(2);
        assertThat(audit.example()).contains("'name': c");
    }

    private ViewAudit audit(String content, String query) {
        var view =
                (Step.View)
                        TestPrograms.program()
                                .view("c.g.v", "name STRING, n INT, share DOUBLE", "")
                                .build()
                                .steps()
                                .getFirst();
        try (var allocator = new RootAllocator();
                var duck = DuckSession.open(PipelineConfig.Duck.DEFAULT, folder, allocator)) {
            duck.execute("CREATE TABLE v (name VARCHAR, n INTEGER, share DOUBLE)");
            duck.execute("INSERT INTO v " + content);
            duck.execute("CREATE TABLE q (name VARCHAR, n INTEGER, share DOUBLE)");
            duck.execute("INSERT INTO q " + query);
            return new Audit(duck, view, "v", "SELECT * FROM q").run();
        }
    }
}
