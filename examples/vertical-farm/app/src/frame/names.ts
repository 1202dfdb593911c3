import { useRows } from "@lakemill/console/live";
import { STOCK, type Stock, SUPPLIERS, type Supplier, TABLES } from "../tables.ts";

/** What is made of a table's rows, once for as long as they are the table's. */
function once<R extends object, T>(make: (rows: R) => T): (rows: R) => T {
  const made = new WeakMap<R, T>();
  return (rows) => {
    const known = made.get(rows) ?? make(rows);
    made.set(rows, known);
    return known;
  };
}

const skuNames = once(
  (rows: readonly Stock[]) => new Map(rows.map(({ sku, name }) => [sku, name])),
);
const suppliersById = once(
  (rows: readonly Supplier[]) => new Map(rows.map((row) => [row.supplier_id, row])),
);
const NO_STOCK: readonly Stock[] = [];
const NO_SUPPLIERS: readonly Supplier[] = [];

/** SKUs' names by id; an id that is not known is its own name. */
export function useSkuName(): (sku: string) => string {
  const names = skuNames(useRows(TABLES.stock, STOCK) ?? NO_STOCK);
  return (sku) => names.get(sku) || sku;
}

export function useSuppliers(): ReadonlyMap<string, Supplier> {
  return suppliersById(useRows(TABLES.suppliers, SUPPLIERS) ?? NO_SUPPLIERS);
}

export function useSupplierName(): (id: string) => string {
  const suppliers = useSuppliers();
  return (id) => suppliers.get(id)?.name || id;
}
