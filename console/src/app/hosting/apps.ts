import type { Tone } from "../../ui/index.ts";

/** What GET /api/2.0/apps answers for one app. */
export interface App {
  readonly name: string;
  readonly description?: string;
  readonly owner?: string;
  /** Where browsers find it. */
  readonly url: string;
  readonly service_principal_name: string;
  readonly changing: boolean;
  readonly app_status: { readonly state: string; readonly message: string };
  readonly compute_status: { readonly state: "ACTIVE" | "STOPPED" };
  readonly version?: number;
  readonly active_version?: number;
  readonly kind?: "process" | "static";
  readonly restarts?: number;
  readonly user_api_scopes?: readonly string[];
  readonly resources?: readonly {
    readonly name: string;
    readonly kind: string;
    readonly target: string;
  }[];
}

export interface Version {
  readonly version: number;
  readonly active: boolean;
  readonly status: { readonly state: string; readonly message: string };
  readonly files: number;
  readonly bytes: number;
  readonly creator: string;
  readonly create_time: string;
}

export const APPS = "/api/2.0/apps";

/** How an app stands, in a word and a tone. */
export function lookOf({ app_status, changing }: Pick<App, "app_status" | "changing">): {
  label: string;
  tone: Tone;
} {
  if (changing) {
    return { label: "Changing", tone: "warn" };
  }
  switch (app_status.state) {
    case "RUNNING":
      return { label: "Running", tone: "good" };
    case "DEPLOYING":
      return { label: "Starting", tone: "warn" };
    case "CRASHED":
      return { label: "Crashed", tone: "bad" };
    case "UNAVAILABLE":
      return { label: "Not running", tone: "plain" };
    default:
      return { label: app_status.state.toLowerCase(), tone: "plain" };
  }
}

/** Whether a version can be gone back to. */
export function canRollBack({ active, status }: Version): boolean {
  return !active && status.state === "SUCCEEDED";
}

/** How many lines of a log the page keeps; older ones are forgotten. */
export const LINES_MAX = 2_000;

/** A log with newer lines at its end, and never more than it may keep. */
export function appended(
  lines: readonly string[],
  more: readonly string[],
  max = LINES_MAX,
): readonly string[] {
  return more.length === 0 ? lines : [...lines, ...more].slice(-max);
}

/** The lines that hold a text, without regard to case. */
export function holding(lines: readonly string[], text: string): readonly string[] {
  const wanted = text.toLowerCase();
  return wanted === "" ? lines : lines.filter((line) => line.toLowerCase().includes(wanted));
}

/** Bytes as a reader says them. */
export function formatBytes(bytes: number): string {
  if (bytes < 1_000) {
    return `${bytes} B`;
  }
  return bytes < 1_000_000
    ? `${(bytes / 1_000).toFixed(0)} KB`
    : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
