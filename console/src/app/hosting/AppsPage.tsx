import { useState } from "react";
import {
  Card,
  Chip,
  Empty,
  formatAway,
  formatNumber,
  Icon,
  useNow,
  Waiting,
} from "../../ui/index.ts";
import { type Doing, post, useAsked, useDoing } from "../api.ts";
import { Button } from "../parts/Button.tsx";
import { Confirm } from "../parts/Confirm.tsx";
import { Facts } from "../parts/Facts.tsx";
import { AskProblem, DoneLine } from "../parts/Problem.tsx";
import { APPS, type App, canRollBack, formatBytes, lookOf, type Version } from "./apps.ts";
import { LogCard } from "./LogCard.tsx";

interface AppsPageProps {
  /** The app that is looked at; null for none. */
  readonly app: string | null;
  readonly onChoose: (app: string | null) => void;
}

/** The apps that this node hosts, and one of them closely. */
export function AppsPage({ app, onChoose }: AppsPageProps) {
  const { data, error } = useAsked<{ apps: readonly App[] }>(APPS, 2_000);
  const doing = useDoing();
  if (data === undefined) {
    return error === null ? <Waiting lines={8} /> : <AskProblem error={error} />;
  }
  const chosen = data.apps.find(({ name }) => name === app) ?? data.apps[0] ?? null;
  return (
    <>
      <AskProblem error={error} />
      <DoneLine doing={doing} className="mb-1" />
      {chosen === null ? (
        <Card title="Apps">
          <Empty title="No apps yet" command="./lakemill app deploy DIR">
            A folder with app.yaml, or with index.html, becomes an app with a host, a login and
            rights of its own.
          </Empty>
        </Card>
      ) : (
        <div className="grid grid-cols-1 gap-4 xl:grid-cols-12">
          <Card title="Apps" className="self-start xl:col-span-4">
            <ul>
              {data.apps.map((one) => (
                <AppRow
                  key={one.name}
                  app={one}
                  isChosen={one === chosen}
                  onChoose={() => onChoose(one.name)}
                />
              ))}
            </ul>
          </Card>
          <div className="flex min-w-0 flex-col gap-4 xl:col-span-8">
            <AppCard key={chosen.name} app={chosen} doing={doing} />
            <LogCard key={`log of ${chosen.name}`} app={chosen.name} />
          </div>
        </div>
      )}
    </>
  );
}

interface AppRowProps {
  readonly app: App;
  readonly isChosen: boolean;
  readonly onChoose: () => void;
}

function AppRow({ app, isChosen, onChoose }: AppRowProps) {
  const { label, tone } = lookOf(app);
  return (
    <li
      className={`relative flex flex-wrap items-center gap-x-3 gap-y-1 border-t border-line px-4 py-2.5 hover:bg-sunken sm:px-5 ${
        isChosen ? "bg-accent-tint" : ""
      }`}
    >
      <div className="min-w-0 grow">
        <button
          type="button"
          aria-pressed={isChosen}
          onClick={onChoose}
          className="text-left font-medium break-words after:absolute after:inset-0 hover:text-accent"
        >
          {app.name}
        </button>
        <p className="text-xs text-muted">
          {app.version === undefined ? "no version runs" : `version ${app.version}, ${app.kind}`}
        </p>
      </div>
      <Chip tone={tone}>{label}</Chip>
      <OpenLink app={app} />
    </li>
  );
}

function OpenLink({ app }: { app: App }) {
  return (
    <a
      href={app.url}
      target="_blank"
      rel="noreferrer"
      aria-label={`Open ${app.name} in a new tab`}
      className="relative z-10 inline-flex items-center gap-1 text-sm font-medium text-accent hover:underline"
    >
      Open
      <Icon name="external" className="size-3.5" />
    </a>
  );
}

function AppCard({ app, doing }: { app: App; doing: Doing }) {
  const { label, tone } = lookOf(app);
  const isStopped = app.compute_status.state === "STOPPED";
  const [asks, setAsks] = useState(false);
  const turn = () =>
    doing.run(async () => {
      await post(`${APPS}/${app.name}/${isStopped ? "start" : "stop"}`);
      return isStopped ? `${app.name} starts.` : `${app.name} is stopped.`;
    });
  return (
    <Card
      title={app.name}
      actions={
        <>
          <Chip tone={tone}>{label}</Chip>
          {isStopped ? (
            <Button onClick={turn} disabled={doing.isRunning}>
              Start
            </Button>
          ) : (
            <Button look="danger" onClick={() => setAsks(true)} disabled={doing.isRunning}>
              Stop
            </Button>
          )}
        </>
      }
    >
      {app.app_status.message !== "" && (
        <p
          className={`px-4 pb-3 text-sm break-words whitespace-pre-wrap sm:px-5 ${tone === "bad" ? "font-mono text-bad" : "text-muted"}`}
        >
          {app.app_status.message}
        </p>
      )}
      <Facts
        rows={[
          [
            "Address",
            <a key="url" href={app.url} className="break-all text-accent hover:underline">
              {app.url}
            </a>,
          ],
          ...(app.description ? [["What it is", app.description] as const] : []),
          ["Owner", app.owner ?? "–"],
          ["Works as", app.service_principal_name],
          ...(app.restarts === undefined
            ? []
            : [
                [
                  "Started again",
                  app.restarts === 0 ? "never" : `${formatNumber(app.restarts)} times by itself`,
                ] as const,
              ]),
          [
            "For its user",
            app.user_api_scopes?.length ? app.user_api_scopes.join(", ") : "does nothing",
          ],
          [
            "May reach",
            app.resources?.length
              ? app.resources.map(({ kind, target }) => `${target} (${kind})`).join(", ")
              : "nothing of the catalog",
          ],
        ]}
      />
      <Versions app={app.name} doing={doing} />
      {asks && (
        <Confirm
          title={`Stop ${app.name}?`}
          action="Stop it"
          onConfirm={turn}
          onClose={() => setAsks(false)}
        >
          Whoever uses it is told that it does not run, until it is started again; restarts of the
          node leave it stopped.
        </Confirm>
      )}
    </Card>
  );
}

function Versions({ app, doing }: { app: string; doing: Doing }) {
  const { data, error } = useAsked<{ app_deployments: readonly Version[] }>(
    `${APPS}/${app}/deployments`,
    3_000,
  );
  const [target, setTarget] = useState<number | null>(null);
  const now = useNow();
  if (data === undefined) {
    return error === null ? null : (
      <p className="border-t border-line px-4 py-3 text-sm text-muted sm:px-5">{error.message}</p>
    );
  }
  const rollBack = (version: number) =>
    doing.run(async () => {
      await post(`${APPS}/${app}/rollback`, { version });
      return `Version ${version} of ${app} is started, and takes over when it can work.`;
    });
  return (
    <>
      <table className="w-full border-t border-line text-sm">
        <caption className="px-4 pt-3 pb-1 text-left font-medium sm:px-5">Versions</caption>
        <tbody>
          {data.app_deployments.map((one) => (
            <tr key={one.version} className="border-t border-line align-top">
              <th scope="row" className="py-1.5 pl-4 text-left font-medium sm:pl-5">
                {one.version}
              </th>
              <td className="px-3 py-1.5">
                <VersionState version={one} />
                {one.status.message !== "" && (
                  <p className="line-clamp-3 text-xs break-words text-muted">
                    {one.status.message}
                  </p>
                )}
              </td>
              <td className="px-3 py-1.5 text-muted max-sm:hidden">
                {formatNumber(one.files)} files, {formatBytes(one.bytes)}
              </td>
              <td className="py-1.5 pr-3 text-muted break-words max-sm:hidden">
                {formatAway(Date.parse(one.create_time), now)} by {one.creator}
              </td>
              <td className="py-1 pr-4 text-right sm:pr-5">
                {canRollBack(one) && (
                  <Button
                    label={`Go back to version ${one.version}`}
                    onClick={() => setTarget(one.version)}
                    disabled={doing.isRunning}
                  >
                    Go back
                  </Button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {target !== null && (
        <Confirm
          title={`Go back to version ${target}?`}
          action={`Run version ${target}`}
          onConfirm={() => rollBack(target)}
          onClose={() => setTarget(null)}
        >
          It is started beside the one that runs and takes its place, with its own grants, when it
          can work. Data that the newer version wrote stays.
        </Confirm>
      )}
    </>
  );
}

function VersionState({ version }: { version: Version }) {
  if (version.active) {
    return <Chip tone="good">Runs</Chip>;
  }
  switch (version.status.state) {
    case "SUCCEEDED":
      return <Chip tone="plain">Ran before</Chip>;
    case "FAILED":
      return <Chip tone="bad">Failed</Chip>;
    default:
      return <Chip tone="warn">Is being deployed</Chip>;
  }
}
