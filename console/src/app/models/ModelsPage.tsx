import {
  Card,
  Chip,
  Empty,
  Figure,
  formatAway,
  formatNumber,
  formatShare,
  Meter,
  useNow,
  Waiting,
} from "../../ui/index.ts";
import { useAsked } from "../api.ts";
import { Choice } from "../parts/Choice.tsx";
import { DraftedBy } from "../parts/DraftedBy.tsx";
import { formatUsd } from "../parts/money.ts";
import { AskProblem } from "../parts/Problem.tsx";
import {
  type Budget,
  circuitOf,
  daysUpTo,
  limitsOf,
  type Model,
  shareOf,
  type Total,
  toneOf,
  totalsBy,
  type UsageRow,
} from "./models.ts";

const TEMPLATE = { by: "template", model: "" } as const;

export const PERIODS = ["7", "30", "90"] as const;
export type Period = (typeof PERIODS)[number];

interface ModelsPageProps {
  readonly days: Period;
  /** The day whose calls are shown alone; null for all. */
  readonly day: string | null;
  readonly onChoose: (chosen: { days: Period; day: string | null }) => void;
}

/** The model gateway: what can be asked, who answers, what it was used for and may still be. */
export function ModelsPage({ days, day, onChoose }: ModelsPageProps) {
  const { data: models, error } = useAsked<{ data: readonly Model[] }>("/v1/models", 3_000);
  const { data: usage } = useAsked<{ usage: readonly UsageRow[]; all_principals: boolean }>(
    `/api/2.0/ai-gateway/usage?days=${days}`,
    5_000,
  );
  const { data: budgets } = useAsked<{ budgets: readonly Budget[] }>(
    "/api/2.0/ai-gateway/budgets",
    3_000,
  );
  if (models === undefined) {
    return error === null ? <Waiting lines={8} /> : <AskProblem error={error} />;
  }
  const rows = usage?.usage ?? [];
  return (
    <>
      <AskProblem error={error} />
      <Totals rows={rows} days={days} />
      <div className="mt-4 grid grid-cols-1 gap-4 xl:grid-cols-12">
        <div className="flex min-w-0 flex-col gap-4 xl:col-span-5">
          <Endpoints models={models.data} />
          <Budgets budgets={budgets?.budgets} />
        </div>
        <div className="flex min-w-0 flex-col gap-4 xl:col-span-7">
          {usage === undefined ? (
            <Card title="Usage">
              <Waiting lines={6} />
            </Card>
          ) : (
            <>
              <ByPrincipal
                rows={day === null ? rows : rows.filter((row) => row.day === day)}
                day={day}
                isWhole={usage.all_principals}
              />
              <ByDay rows={rows} days={days} day={day} onChoose={onChoose} />
            </>
          )}
        </div>
      </div>
    </>
  );
}

function Totals({ rows, days }: { rows: readonly UsageRow[]; days: Period }) {
  const [all] = totalsBy(rows, () => "all");
  const calls = all?.calls ?? 0;
  return (
    <dl className="grid grid-cols-2 gap-3 lg:grid-cols-4">
      <Figure label={`Calls in ${days} days`} value={formatNumber(calls)} />
      <Figure label="Tokens" value={formatNumber(all?.tokens ?? 0)} note="read and written" />
      <Figure label="Cost" value={formatUsd(all?.costUsd ?? 0)} note="by your price list" />
      <Figure
        label="By a template"
        value={formatShare(calls === 0 ? null : (all?.templates ?? 0) / calls)}
        note={`${formatNumber(all?.failed ?? 0)} calls without an answer`}
        explanation="Where no model is configured, or none answered and the endpoint's last provider is the template, a template fills in the words. Each such text says so."
      />
    </dl>
  );
}

function Endpoints({ models }: { models: readonly Model[] }) {
  const isTemplateAlone = models.every(({ lakemill }) => lakemill.template);
  return (
    <Card
      title="Endpoints"
      explanation="Providers are asked in this order. One that fails five times in a row is left alone for half a minute."
    >
      {isTemplateAlone && (
        <p className="px-4 pb-3 text-sm text-muted sm:px-5">
          No model is configured, so a template words every text. Add a provider under{" "}
          <code className="font-mono">models: endpoints:</code> in{" "}
          <code className="font-mono">lakemill.yml</code>; any OpenAI-compatible address will do.
        </p>
      )}
      <ul>
        {models.map(({ id, lakemill }) => (
          <li key={id} className="border-t border-line px-4 py-2.5 sm:px-5">
            <p className="flex flex-wrap items-center gap-x-3 gap-y-1">
              <span className="font-medium break-words">{id}</span>
              {lakemill.template && <DraftedBy author={TEMPLATE} />}
              <span className="text-sm text-muted">{lakemill.comment}</span>
            </p>
            {!lakemill.template && (
              <ol className="mt-1 flex flex-col gap-1">
                {lakemill.providers.map((provider, place) => {
                  const { label, tone } = circuitOf(provider.circuit);
                  const isTemplate = provider.name === "template";
                  return (
                    <li
                      key={provider.name}
                      className="flex flex-wrap items-center gap-x-3 gap-y-1 text-sm"
                    >
                      <span className="text-muted">{place + 1}.</span>
                      <span className="min-w-0 break-words">
                        {provider.name}
                        {!isTemplate && <span className="text-muted"> {provider.model}</span>}
                      </span>
                      <span className="ml-auto">
                        {isTemplate ? (
                          <DraftedBy author={TEMPLATE} />
                        ) : (
                          <Chip tone={tone}>{label}</Chip>
                        )}
                      </span>
                    </li>
                  );
                })}
              </ol>
            )}
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Budgets({ budgets }: { budgets: readonly Budget[] | undefined }) {
  const now = useNow();
  return (
    <Card
      title="Budgets"
      explanation="What is used or reserved of each limit now. Past a limit, calls are refused. Days are days of UTC."
    >
      {budgets === undefined ? (
        <Waiting lines={3} />
      ) : budgets.length === 0 ? (
        <Empty title="No limits">
          rate_limits of an endpoint in lakemill.yml bound calls, tokens and cost.
        </Empty>
      ) : (
        <ul>
          {[...budgets]
            .sort((a, b) => shareOf(b) - shareOf(a))
            .map((budget) => (
              <li
                key={`${budget.endpoint} ${budget.principal} ${budget.period}`}
                className="border-t border-line px-4 py-2.5 sm:px-5"
              >
                <p className="flex flex-wrap items-baseline gap-x-2">
                  <span className="font-medium break-words">
                    {budget.principal === "" ? "All callers" : budget.principal}
                  </span>
                  <span className="text-sm text-muted">
                    {budget.endpoint}, each {budget.period}
                  </span>
                  <span className="ml-auto text-sm text-muted">
                    anew {formatAway(Date.parse(budget.resets_at), now)}
                  </span>
                </p>
                {limitsOf(budget).map(({ what, used, max }) => {
                  const format = what === "cost" ? formatUsd : formatNumber;
                  return (
                    <div key={what} className="mt-1">
                      <p className="flex justify-between text-sm">
                        <span className="text-muted">{what}</span>
                        <span>
                          {format(used)} <span className="text-muted">of {format(max)}</span>
                        </span>
                      </p>
                      <Meter value={used} max={max} tone={toneOf(used, max)} />
                    </div>
                  );
                })}
              </li>
            ))}
        </ul>
      )}
    </Card>
  );
}

const HEADS = ["Calls", "Failed", "Template", "Tokens", "Cost"] as const;

function Heads({ first }: { first: string }) {
  return (
    <thead className="text-sm text-muted">
      <tr>
        <th scope="col" className="py-1.5 pl-4 text-left font-normal sm:pl-5">
          {first}
        </th>
        {HEADS.map((head) => (
          <th
            key={head}
            scope="col"
            className={`py-1.5 pl-3 text-right font-normal last:pr-4 sm:last:pr-5 ${NARROW[head] ?? ""}`}
          >
            {head}
          </th>
        ))}
      </tr>
    </thead>
  );
}

/** What a phone has no room for. */
const NARROW: Record<string, string> = { Failed: "max-sm:hidden", Template: "max-sm:hidden" };

function Cells({ total }: { total: Total | undefined }) {
  return (
    <>
      <td className="py-1.5 pl-3 text-right">{formatNumber(total?.calls ?? 0)}</td>
      <td
        className={`py-1.5 pl-3 text-right max-sm:hidden ${(total?.failed ?? 0) > 0 ? "text-bad" : ""}`}
      >
        {formatNumber(total?.failed ?? 0)}
      </td>
      <td className="py-1.5 pl-3 text-right max-sm:hidden">
        {formatNumber(total?.templates ?? 0)}
      </td>
      <td className="py-1.5 pl-3 text-right">{formatNumber(total?.tokens ?? 0)}</td>
      <td className="py-1.5 pr-4 pl-3 text-right sm:pr-5">{formatUsd(total?.costUsd ?? 0)}</td>
    </>
  );
}

interface ByPrincipalProps {
  readonly rows: readonly UsageRow[];
  readonly day: string | null;
  /** Whether the rows are of everybody, not of the reader alone. */
  readonly isWhole: boolean;
}

function ByPrincipal({ rows, day, isWhole }: ByPrincipalProps) {
  const totals = totalsBy(rows, ({ requester, endpoint }) => `${requester}\n${endpoint}`).sort(
    (a, b) => b.costUsd - a.costUsd || b.tokens - a.tokens,
  );
  return (
    <Card
      title={day === null ? "Usage by principal" : `Usage by principal on ${day}`}
      explanation={
        isWhole
          ? "Everybody's calls. As SQL: SELECT * FROM system.ai_gateway.usage"
          : "Your own calls; metastore admins see everybody's."
      }
    >
      {totals.length === 0 ? (
        <Empty title="No calls">
          {day === null ? "Nobody has asked a model yet." : `Nobody asked a model on ${day}.`}
        </Empty>
      ) : (
        <table className="w-full">
          <Heads first="Principal" />
          <tbody>
            {totals.map((total) => {
              const [requester, endpoint] = total.key.split("\n");
              return (
                <tr key={total.key} className="border-t border-line">
                  <th scope="row" className="py-1.5 pl-4 text-left font-normal sm:pl-5">
                    <span className="font-medium break-words">{requester}</span>{" "}
                    <span className="text-xs break-words text-muted">{endpoint}</span>
                  </th>
                  <Cells total={total} />
                </tr>
              );
            })}
          </tbody>
        </table>
      )}
    </Card>
  );
}

interface ByDayProps extends ModelsPageProps {
  readonly rows: readonly UsageRow[];
}

function ByDay({ rows, days, day, onChoose }: ByDayProps) {
  const today = Math.floor(useNow() / 86_400_000) * 86_400_000;
  const totals = new Map(totalsBy(rows, (row) => row.day).map((total) => [total.key, total]));
  const most = Math.max(1, ...[...totals.values()].map(({ tokens }) => tokens));
  return (
    <Card
      title="Usage by day"
      actions={
        <Choice
          label="Days"
          value={days}
          options={PERIODS.map((period) => [period, `${period} days`] as const)}
          onChange={(next) => onChoose({ days: next, day: null })}
        />
      }
    >
      <table className="w-full">
        <Heads first="Day (UTC)" />
        <tbody>
          {daysUpTo(today, Number(days)).map((one) => {
            const total = totals.get(one);
            return (
              <tr
                key={one}
                className={`relative border-t border-line hover:bg-sunken ${one === day ? "bg-accent-tint" : ""}`}
              >
                <th scope="row" className="py-1.5 pl-4 text-left font-normal sm:pl-5">
                  <button
                    type="button"
                    aria-pressed={one === day}
                    onClick={() => onChoose({ days, day: one === day ? null : one })}
                    className="font-medium whitespace-nowrap after:absolute after:inset-0 hover:text-accent"
                  >
                    {one}
                  </button>
                  <Meter
                    value={total?.tokens ?? 0}
                    max={most}
                    tone={2}
                    className="mt-1 max-w-40 bg-transparent"
                  />
                </th>
                <Cells total={total} />
              </tr>
            );
          })}
        </tbody>
      </table>
    </Card>
  );
}
