package dev.lakemill.postgres.imports;

import java.util.List;

/**
 * What an import came to. It comes only when each table's count and checksum were the same here and
 * in the source.
 */
public record ImportReport(String source, List<Table> tables, int objects, long copiedRows) {
    /**
     * @param name in the catalog
     * @param checksum over the texts of all rows, whatever their order
     */
    public record Table(String name, long rows, String checksum) {}

    public ImportReport {
        tables = List.copyOf(tables);
    }

    /** Of all tables. */
    public long rows() {
        return tables.stream().mapToLong(Table::rows).sum();
    }
}
