package dev.lakemill.farm;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.List;
import java.util.SplittableRandom;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import org.tribuo.Model;
import org.tribuo.MutableDataset;
import org.tribuo.impl.ArrayExample;
import org.tribuo.math.optimisers.AdaGrad;
import org.tribuo.provenance.SimpleDataSourceProvenance;
import org.tribuo.regression.RegressionFactory;
import org.tribuo.regression.Regressor;
import org.tribuo.regression.sgd.linear.LinearSGDModel;
import org.tribuo.regression.sgd.linear.LinearSGDTrainer;
import org.tribuo.regression.sgd.objectives.SquaredLoss;

/**
 * How well an order with a supplier turns out, learned from the simulator's history: from every
 * offer of every hour an order is imagined, and the hidden truth says how it ends.
 *
 * <p>How it ends, round 0.5: the share of the market's price that is saved, half of a rise of
 * prices that it forestalls, less a quarter for each week until the seed comes; and less 0.15 times
 * the demand, against the day's, when it comes late, which a supplier's reliability decides by
 * chance.
 */
final class RankingModel {
    /** In the order in which the exported graph takes them, which is that of their names. */
    static final List<String> FEATURES =
            List.of("demand_1h", "lead_time", "price", "price_trend_24h", "reliability");

    private static final int SLICES_PER_HOUR = 6;
    private static final int EPOCHS = 10;
    private static final double LATE_COST = 0.15;

    private RankingModel() {}

    /**
     * Trains on the hours that end at a time, the first day of which only warms up.
     *
     * @param hours more than 24
     */
    static LinearSGDModel train(long seed, int hours, long endMicros) {
        Logger.getLogger("org.tribuo").setLevel(Level.WARNING);
        var random = new SplittableRandom(seed ^ 0x5EED);
        var data = dataset(seed, endMicros);
        var world = new World(seed, "0000");
        var market = new MarketHistory();
        for (int hour = 0; hour < hours; hour++) {
            for (int slice = 0; slice < SLICES_PER_HOUR; slice++) {
                var index = hour * SLICES_PER_HOUR + slice;
                listen(world, market, start(endMicros, hours, index));
            }
            if (hour >= 24) {
                market.skus().stream()
                        .flatMap(sku -> market.offers(sku).stream())
                        .forEach(offer -> data.add(example(offer, random)));
            }
        }
        var trainer = new LinearSGDTrainer(new SquaredLoss(), new AdaGrad(0.1), EPOCHS, seed);
        return trainer.train(data);
    }

    /** What the model says of features in its order. */
    static double score(Model<Regressor> model, double[] features) {
        var example =
                new ArrayExample<>(
                        RegressionFactory.UNKNOWN_REGRESSOR,
                        FEATURES.toArray(String[]::new),
                        features);
        return model.predict(example).getOutput().getValues()[0];
    }

    /** Writes the folder that a registry takes: MLmodel with its signature, and the graph. */
    static void save(LinearSGDModel model, Path folder) throws IOException {
        Files.createDirectories(folder);
        model.saveONNXModel("dev.lakemill.farm", 1, folder.resolve("model.onnx"));
        var inputs =
                FEATURES.stream()
                        .map(
                                "{\"type\": \"double\", \"name\": \"%s\", \"required\": true}"
                                        ::formatted)
                        .collect(Collectors.joining(", ", "[", "]"));
        Files.writeString(
                folder.resolve("MLmodel"),
                """
                artifact_path: model
                flavors:
                  onnx:
                    data: model.onnx
                    onnx_version: 1.19.0
                signature:
                  inputs: '%s'
                  outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 1]}}]'
                """
                        .formatted(inputs));
    }

    private static long start(long endMicros, int hours, int slice) {
        var slices = (long) hours * SLICES_PER_HOUR;
        return endMicros - (slices - slice) * (RowModel.MICROS_PER_HOUR / SLICES_PER_HOUR);
    }

    /** The rows of a slice, as its history is sent; those with a fault are not learned from. */
    private static void listen(World world, MarketHistory market, long fromMicros) {
        for (var table : List.of(FarmTable.DEMAND_EVENTS, FarmTable.SUPPLIER_QUOTES)) {
            var rows = History.rows(table);
            for (int k = 0; k < rows; k++) {
                var at = fromMicros + RowModel.MICROS_PER_HOUR / SLICES_PER_HOUR * k / rows;
                var event = world.source(table).next(at, 0);
                if (event.fault().isEmpty()) {
                    market.take(event.row());
                }
            }
        }
    }

    private static ArrayExample<Regressor> example(
            MarketHistory.Offer offer, RandomGenerator random) {
        var late = random.nextDouble() >= offer.supplier().reliability();
        var outcome =
                0.5
                        - offer.price()
                        + 0.5 * offer.priceTrend()
                        - 0.25 * offer.leadTime()
                        - (late ? LATE_COST * offer.demand() : 0);
        return new ArrayExample<>(
                new Regressor("outcome", outcome),
                FEATURES.toArray(String[]::new),
                offer.features());
    }

    private static MutableDataset<Regressor> dataset(long seed, long endMicros) {
        var factory = new RegressionFactory();
        var end =
                OffsetDateTime.ofInstant(
                        java.time.Instant.ofEpochSecond(endMicros / 1_000_000), ZoneOffset.UTC);
        var source = new SimpleDataSourceProvenance("the farm of seed " + seed, end, factory);
        return new MutableDataset<>(source, factory);
    }
}
