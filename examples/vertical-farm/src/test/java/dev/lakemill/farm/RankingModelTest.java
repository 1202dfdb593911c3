package dev.lakemill.farm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class RankingModelTest {
    private static final long END = 1_795_000_000L * RowModel.MICROS_PER_SECOND;

    @TempDir Path folder;

    @Test
    void theModelLearnsWhatTheHistoryHides() throws IOException {
        var model = RankingModel.train(3, 48, END);
        var plain = new double[] {1, 0.3, 0, 0, 0.9};
        assertThat(change(model, plain, 2, 0.1)).isCloseTo(-0.1, within(0.02));
        assertThat(change(model, plain, 1, 1)).isCloseTo(-0.25, within(0.1));
        assertThat(change(model, plain, 3, 0.1)).isCloseTo(0.05, within(0.03));
        assertThat(change(model, plain, 4, 0.1)).isBetween(0.0, 0.04);

        var again = RankingModel.train(3, 48, END);
        assertThat(RankingModel.score(again, plain)).isEqualTo(RankingModel.score(model, plain));

        RankingModel.save(model, folder);
        assertThat(folder.resolve("model.onnx")).isNotEmptyFile();
        assertThat(Files.readString(folder.resolve("MLmodel")))
                .contains("data: model.onnx")
                .contains("\"name\": \"demand_1h\", \"required\": true");
    }

    /** How the score changes when a feature grows. */
    private static double change(
            org.tribuo.Model<org.tribuo.regression.Regressor> model,
            double[] features,
            int index,
            double by) {
        var changed = features.clone();
        changed[index] += by;
        return RankingModel.score(model, changed) - RankingModel.score(model, features);
    }
}
