import { useRows } from "@lakemill/console/live";
import { useMemo } from "react";
import { STOCK, SUPPLIERS, type Supplier, TABLES } from "../tables.ts";

/** SKUs' names by id; an id that is not known is its own name. */
export function useSkuName(): (sku: string) => string {
  const rows = useRows(TABLES.stock, STOCK);
  return useMemo(() => {
    const names = new Map((rows ?? []).map(({ sku, name }) => [sku, name]));
    return (sku) => names.get(sku) || sku;
  }, [rows]);
}

export function useSuppliers(): ReadonlyMap<string, Supplier> {
  const rows = useRows(TABLES.suppliers, SUPPLIERS);
  return useMemo(() => new Map((rows ?? []).map((row) => [row.supplier_id, row])), [rows]);
}

export function useSupplierName(): (id: string) => string {
  const suppliers = useSuppliers();
  return useMemo(() => (id) => suppliers.get(id)?.name || id, [suppliers]);
}
