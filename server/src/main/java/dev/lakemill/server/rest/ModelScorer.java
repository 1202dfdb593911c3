package dev.lakemill.server.rest;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lakemill.catalog.ModelVersion;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Securable;

/** Looks into the files of a model's version. */
public interface ModelScorer {
    /**
     * Scores made-up rows with a version whose files are on a disk here and have an ONNX flavor;
     * others are taken as they are.
     *
     * @throws LakemillException INVALID_ARGUMENT when that does not go well
     */
    void check(ModelVersion version);

    /**
     * Scores the rows of a request in MLflow's form ({@code dataframe_split} or {@code
     * dataframe_records}).
     *
     * @return one score a row
     * @throws LakemillException INVALID_ARGUMENT for rows that do not fit the signature;
     *     RESOURCE_EXHAUSTED while too many requests are scored
     */
    double[] score(ModelVersion version, JsonNode request);

    /** Keeps nothing open of a model that is gone, or has lost a version. */
    void forget(Securable model);
}
