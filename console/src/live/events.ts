/** A value of a row as the server sends it: decimals and BIGINT as numbers, timestamps as ISO-8601. */
export type Cell = string | number | boolean | null;

/** The whole content of one synced table after a batch. */
export interface TableEvent {
  readonly table: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
  readonly batch: number;
}

/** A batch of a pipeline was applied to Postgres. */
export interface SyncEvent {
  readonly pipeline: string;
  readonly batch: number;
  readonly appliedAtMillis: number | null;
  /** From an event's acknowledgement to its visibility in Postgres; null when the batch had none. */
  readonly freshnessMillis: number | null;
  readonly rowsPerSecond: number | null;
}

/** Reads the data of an `event: table`; undefined when it is not one. */
export function parseTableEvent(data: string): TableEvent | undefined {
  const event = parseObject(data);
  if (
    typeof event?.table !== "string" ||
    !Array.isArray(event.columns) ||
    !Array.isArray(event.rows)
  ) {
    return undefined;
  }
  return {
    table: event.table,
    columns: event.columns,
    rows: event.rows,
    batch: typeof event.batch === "number" ? event.batch : 0,
  };
}

/** Reads the data of an `event: sync`; undefined when it is not one. */
export function parseSyncEvent(data: string): SyncEvent | undefined {
  const event = parseObject(data);
  if (typeof event?.pipeline !== "string" || typeof event.batch !== "number") {
    return undefined;
  }
  return {
    pipeline: event.pipeline,
    batch: event.batch,
    appliedAtMillis: instant(event.applied_at as Cell),
    freshnessMillis: number(event.freshness_ms as Cell),
    rowsPerSecond: number(event.rows_per_second as Cell),
  };
}

function parseObject(data: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(data);
    return typeof value === "object" && value !== null
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** Reads one cell as a type; a cell that is not of that type reads as the type's nothing. */
export type Reader<T> = (cell: Cell | undefined) => T;

export const text: Reader<string> = (cell) =>
  cell === null || cell === undefined ? "" : String(cell);

export const number: Reader<number | null> = (cell) => {
  const value = typeof cell === "string" && cell !== "" ? Number(cell) : cell;
  return typeof value === "number" && Number.isFinite(value) ? value : null;
};

/** Milliseconds since the epoch. */
export const instant: Reader<number | null> = (cell) => {
  const millis = typeof cell === "string" ? Date.parse(cell) : Number.NaN;
  return Number.isNaN(millis) ? null : millis;
};

/** The columns that a page reads from a table, and as what. */
export type Shape = Record<string, Reader<unknown>>;
export type RowOf<S extends Shape> = { readonly [C in keyof S]: ReturnType<S[C]> };

/** What was read of an event; many parts of a page read the same one, each shape of it once. */
const read = new WeakMap<TableEvent, Map<Shape, unknown>>();

/** The event's rows as records, the same each time; a column that it lacks reads as nothing. */
export function rowsOf<S extends Shape>(
  event: TableEvent | undefined,
  shape: S,
): readonly RowOf<S>[] {
  if (event === undefined) {
    return [];
  }
  const shapes = read.get(event) ?? new Map<Shape, unknown>();
  read.set(event, shapes);
  const rows = (shapes.get(shape) as readonly RowOf<S>[] | undefined) ?? readRows(event, shape);
  shapes.set(shape, rows);
  return rows;
}

function readRows<S extends Shape>(event: TableEvent, shape: S): RowOf<S>[] {
  const columns = Object.entries(shape).map(
    ([name, read]) => [name, event.columns.indexOf(name), read] as const,
  );
  return event.rows.map(
    (cells) =>
      Object.fromEntries(
        columns.map(([name, index, read]) => [name, read(cells[index])]),
      ) as RowOf<S>,
  );
}
