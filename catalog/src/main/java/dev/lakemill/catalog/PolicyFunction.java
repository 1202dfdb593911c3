package dev.lakemill.catalog;

import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import java.util.List;

/**
 * A scalar SQL function of the catalog, written once and enforced by both engines.
 *
 * @param name {@code catalog.schema.function}
 * @param body the expression as it was written, in Spark SQL, over the parameters
 * @param duckSql the same for DuckDB: the parameters as {@code $1}, {@code $2}, …, the caller's
 *     name as {@code $user} and the caller's groups as {@code $groups}
 * @param postgresSql the same for Postgres: the parameters as {@code $1}, {@code $2}, …, asking
 *     {@code lakemill.session_name()} and {@code lakemill.is_member(text)}
 */
public record PolicyFunction(
        String name,
        List<Column> parameters,
        DataType returns,
        String body,
        String duckSql,
        String postgresSql,
        String comment) {
    public PolicyFunction {
        parameters = List.copyOf(parameters);
    }

    PolicyFunction described(String newName, String newComment) {
        return new PolicyFunction(
                newName, parameters, returns, body, duckSql, postgresSql, newComment);
    }
}
