/** What GET /api/status answers. */
export interface Status {
  readonly ready: boolean;
  readonly reasons: readonly string[];
  readonly uptime_seconds: number;
  readonly rows_per_second: number;
  readonly tables: readonly TableStatus[];
  readonly pipelines: readonly PipelineStatus[];
}

export type TableKind =
  | "INGESTED"
  | "STREAMING_TABLE"
  | "MATERIALIZED_VIEW"
  | "QUARANTINE"
  | "SYNCED";

export interface TableStatus {
  /** catalog.schema.table */
  readonly name: string;
  readonly kind: TableKind;
  readonly rows: number;
  /** Bytes of the log when ingested, a batch when synced, a Delta version otherwise. */
  readonly position: number;
  /** From durable to visible here, for the newest row; null before the first or if unknown. */
  readonly freshness_ms: number | null;
  /** Of a synced table while its rows are copied; null otherwise. */
  readonly load?: LoadStatus | null;
}

export interface LoadStatus {
  readonly synced_row_count: number;
  readonly total_row_count: number;
  /** From 0 to 1. */
  readonly sync_progress_completion: number;
  readonly estimated_completion_time_seconds: number;
}

export interface PipelineStatus {
  readonly name: string;
  readonly state: "RUNNING" | "FAILED" | "STOPPED";
  readonly batch: number;
  readonly batch_ms: number | null;
  readonly error: string | null;
  readonly outputs: readonly OutputStatus[];
  readonly expectations: readonly ExpectationStatus[];
}

/** What became of the rows of a streaming table: in = kept + quarantined + dropped. */
export interface OutputStatus {
  /** catalog.schema.table */
  readonly table: string;
  readonly in: number;
  readonly kept: number;
  readonly quarantined: number;
  readonly dropped: number;
}

export interface ExpectationStatus {
  /** catalog.schema.table */
  readonly table: string;
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
  /** WARN, DROP_ROW, FAIL_UPDATE or QUARANTINE. */
  readonly action: string;
}

/** Asks for the status; throws with a sentence for a reader when there is no proper answer. */
export async function fetchStatus(api: URL, signal?: AbortSignal): Promise<Status> {
  const response = await fetch(new URL("status", api), signal ? { signal } : {}).catch(() => {
    throw new Error(`no answer from ${api.host}: start Lakemill with ./lakemill demo`);
  });
  const body: unknown = await response.json().catch(() => null);
  if (isStatus(body)) {
    return body;
  }
  if (response.status === 401) {
    throw new Error("you are logged out: reload the page to log in again");
  }
  throw new Error(`${api.host} answered ${response.status} instead of Lakemill's status`);
}

/** Why a server with this status may have nothing to show yet; null when it is ready. */
export function explanation(status: Status): string | null {
  const failed = status.pipelines.find((pipeline) => pipeline.error !== null);
  if (failed !== undefined) {
    return `pipeline ${failed.name}: ${failed.error}`;
  }
  return status.ready ? null : `Lakemill is not ready: ${status.reasons.join("; ")}`;
}

function isStatus(body: unknown): body is Status {
  const status = body as Status | null;
  return (
    typeof status === "object" && Array.isArray(status?.tables) && Array.isArray(status.pipelines)
  );
}
