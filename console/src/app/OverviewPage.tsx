import { Empty, Waiting } from "../ui/index.ts";
import { AppsCard } from "./AppsCard.tsx";
import { byLayer, type Layer } from "./layers.ts";
import { Path } from "./Path.tsx";
import { PipelineCard } from "./PipelineCard.tsx";
import { SqlCard } from "./SqlCard.tsx";
import { useStatus } from "./status.ts";
import { TablesCard } from "./TablesCard.tsx";

interface OverviewPageProps {
  /** The layer whose tables are shown; null for all. */
  readonly layer: Layer | null;
  readonly onLayer: (layer: Layer | null) => void;
}

/** One look at everything: the way of a row, every table on it, every pipeline. */
export function OverviewPage({ layer, onLayer }: OverviewPageProps) {
  const { data: status, error } = useStatus();
  if (status === undefined) {
    return error === null ? (
      <Waiting lines={8} />
    ) : (
      <Empty title="Lakemill does not answer" command="./lakemill demo">
        {error.message}
      </Empty>
    );
  }
  const layers = byLayer(status.tables);
  return (
    <>
      {error !== null && (
        <Notice tone="bad" title="Lakemill does not answer; below is what was last known.">
          {error.message}
        </Notice>
      )}
      {!status.ready && (
        <Notice tone="warn" title="Lakemill is not ready.">
          {status.reasons.join("; ")}
        </Notice>
      )}
      <Path layers={layers} rowsPerSecond={status.rows_per_second} />
      <div className="mt-4 grid grid-cols-1 gap-4 xl:grid-cols-12">
        <TablesCard layers={layers} chosen={layer} onChoose={onLayer} className="xl:col-span-7" />
        <div className="flex min-w-0 flex-col gap-4 xl:col-span-5">
          {status.pipelines.map((pipeline) => (
            <PipelineCard key={pipeline.name} pipeline={pipeline} />
          ))}
          <SqlCard tables={status.tables} />
          <AppsCard />
        </div>
      </div>
    </>
  );
}

interface NoticeProps {
  readonly tone: "bad" | "warn";
  readonly title: string;
  readonly children: string;
}

function Notice({ tone, title, children }: NoticeProps) {
  const colors = tone === "bad" ? "bg-bad-tint text-bad" : "bg-warn-tint text-warn";
  return (
    <div className={`mb-4 rounded-card border border-line-strong px-5 py-3 ${colors}`}>
      <p className="font-medium">{title}</p>
      <p className="text-sm break-words text-ink">{children}</p>
    </div>
  );
}
