package dev.lakemill.pipeline;

import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import java.util.List;

/**
 * What a model takes and gives.
 *
 * @param features DOUBLE, LONG or BOOLEAN, in order; one that is nullable may have no value
 * @param output DOUBLE or LONG
 */
public record ModelSignature(List<Column> features, DataType output) {
    public ModelSignature {
        features = List.copyOf(features);
    }
}
