export type { Cell, Reader, RowOf, Shape, SyncEvent, TableEvent } from "./events.ts";
export { instant, number, rowsOf, text } from "./events.ts";
export { LiveProvider, useLive, useRetryNow, useRows } from "./live.tsx";
export type { ArrivedTable, Connection, LiveState } from "./state.ts";
export type {
  ExpectationStatus,
  LoadStatus,
  OutputStatus,
  PipelineStatus,
  Status,
  TableKind,
  TableStatus,
} from "./status.ts";
export { explanation, fetchStatus } from "./status.ts";
