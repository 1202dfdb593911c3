import type { TableStatus } from "../live/index.ts";
import { Card, Command } from "../ui/index.ts";

/** How to read the same tables from a terminal. */
export function SqlCard({ tables }: { tables: readonly TableStatus[] }) {
  const synced = tables.find((table) => table.kind === "SYNCED");
  const [, schema = "serving", name = "stock_position"] = synced?.name.split(".") ?? [];
  return (
    <Card title="Ask with SQL">
      <div className="px-4 pb-4 text-sm text-muted sm:px-5">
        <p>
          Synced tables are ordinary Postgres tables, for reading.{" "}
          <code className="font-mono">./lakemill status</code> prints the psql line; then for
          example:
        </p>
        <Command>{`SELECT * FROM ${schema}.${name} LIMIT 10;`}</Command>
      </div>
    </Card>
  );
}
