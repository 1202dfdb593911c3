import { ToggleGroup } from "radix-ui";
import type { TableStatus } from "../live/index.ts";
import { Card, Empty, Flash, formatDuration, formatNumber } from "../ui/index.ts";
import { Breakable } from "./Breakable.tsx";
import { kindOf, type Layer, type LayerTables, loading } from "./layers.ts";

interface TablesCardProps {
  readonly layers: readonly LayerTables[];
  readonly chosen: Layer | null;
  readonly onChoose: (layer: Layer | null) => void;
  readonly className?: string;
}

export function TablesCard({ layers, chosen, onChoose, className = "" }: TablesCardProps) {
  const shown = layers.filter(
    ({ layer, tables }) => tables.length > 0 && (chosen === null || layer === chosen),
  );
  return (
    <Card
      title="Tables"
      className={className}
      explanation="Position: how far a table has come, in bytes of the log (ingested), Delta versions (streaming tables and views) or batches (synced). Freshness: how long its newest row took from durable to visible here."
      actions={<LayerChoice layers={layers} chosen={chosen} onChoose={onChoose} />}
    >
      {shown.length === 0 ? (
        <Empty title="No tables yet" command="./lakemill demo">
          Tables are declared in a pipeline's SQL files. The farm's are a start:
        </Empty>
      ) : (
        <table className="w-full">
          <thead className="text-sm text-muted">
            <tr>
              <th scope="col" className="py-1.5 pl-4 text-left font-normal sm:pl-5">
                Table
              </th>
              <th scope="col" className="px-3 py-1.5 text-right font-normal">
                Rows
              </th>
              <th scope="col" className="px-3 py-1.5 text-right font-normal max-sm:hidden">
                Position
              </th>
              <th scope="col" className="py-1.5 pr-4 text-right font-normal sm:pr-5">
                Freshness
              </th>
            </tr>
          </thead>
          {shown.map(({ layer, title, tables }) => (
            <tbody key={layer}>
              <tr className="border-t border-line bg-sunken/60">
                <th
                  scope="rowgroup"
                  colSpan={4}
                  className="px-4 py-1 text-left text-sm font-medium text-muted sm:px-5"
                >
                  {title}
                </th>
              </tr>
              {tables.map((table) => (
                <TableRow key={table.name} table={table} />
              ))}
            </tbody>
          ))}
        </table>
      )}
    </Card>
  );
}

function TableRow({ table }: { table: TableStatus }) {
  const [name, ...schema] = table.name.split(".").reverse();
  return (
    <tr className="border-t border-line">
      <th scope="row" className="py-1.5 pl-4 text-left font-normal sm:pl-5">
        <span className="text-muted max-sm:hidden">{schema.reverse().join(".")}.</span>
        <span className="font-medium">
          <Breakable name={name ?? ""} />
        </span>
        <span className="ml-2 text-xs text-muted max-sm:ml-0 max-sm:block">{kindOf(table)}</span>
        {table.load && (
          <span className="ml-2 text-xs max-sm:ml-0 max-sm:block">{loading(table.load)}</span>
        )}
      </th>
      <td className="px-3 py-1.5 text-right">
        <Flash>{formatNumber(table.rows)}</Flash>
      </td>
      <td className="px-3 py-1.5 text-right text-muted max-sm:hidden">
        {formatNumber(table.position)}
      </td>
      <td className="py-1.5 pr-4 text-right whitespace-nowrap sm:pr-5">
        {formatDuration(table.freshness_ms)}
      </td>
    </tr>
  );
}

function LayerChoice({ layers, chosen, onChoose }: Omit<TablesCardProps, "className">) {
  const choices = [{ value: "all", label: "All" }].concat(
    layers.map(({ layer, title }) => ({ value: layer, label: title })),
  );
  return (
    <ToggleGroup.Root
      type="single"
      value={chosen ?? "all"}
      onValueChange={(value) => value !== "" && onChoose(value === "all" ? null : (value as Layer))}
      aria-label="Layer"
      className="flex rounded-lg border border-line bg-sunken p-0.5 text-sm"
    >
      {choices.map(({ value, label }) => (
        <ToggleGroup.Item
          key={value}
          value={value}
          className="rounded-md px-2.5 py-0.5 text-muted hover:text-ink data-[state=on]:bg-surface data-[state=on]:font-medium data-[state=on]:text-ink data-[state=on]:shadow-[0_1px_2px_var(--shadow)]"
        >
          {label}
        </ToggleGroup.Item>
      ))}
    </ToggleGroup.Root>
  );
}
