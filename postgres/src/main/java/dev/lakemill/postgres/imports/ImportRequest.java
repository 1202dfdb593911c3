package dev.lakemill.postgres.imports;

import java.util.List;
import java.util.Set;

/**
 * What is to be moved in.
 *
 * @param schemas empty for all that hold tables
 * @param leftOut objects that stay behind, as refusals call them
 * @param catalog whose schemas of the same names take the tables
 * @param owner name of the principal that owns them
 */
public record ImportRequest(
        ImportSource source,
        List<String> schemas,
        Set<String> leftOut,
        String catalog,
        String owner) {
    public ImportRequest {
        schemas = List.copyOf(schemas);
        leftOut = Set.copyOf(leftOut);
    }
}
