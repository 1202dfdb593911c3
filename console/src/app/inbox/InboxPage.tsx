import { Link } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { Card, Chip, Empty, formatAway, formatDue, useNow, Waiting } from "../../ui/index.ts";
import { APPROVALS, type Approval } from "../agents/agents.ts";
import { useAsked, useDoing } from "../api.ts";
import { useKeys } from "../parts/keys.ts";
import { AskProblem, DoneLine } from "../parts/Problem.tsx";
import { DecisionCard } from "./DecisionCard.tsx";
import { neighbour, titleOf } from "./edit.ts";

const SOON_MILLIS = 60 * 60 * 1_000;

interface InboxPageProps {
  /** The approval that is looked at; null for the oldest. */
  readonly approval: string | null;
  readonly onChoose: (approval: string | null) => void;
}

interface Answer {
  readonly approvals: readonly Approval[];
}

/** What agents ask the reader: each is decided once, by whoever is first. */
export function InboxPage({ approval, onChoose }: InboxPageProps) {
  const { data, error } = useAsked<Answer>(APPROVALS, 2_000);
  const doing = useDoing();
  const waiting = data?.approvals ?? [];
  const ids = waiting.map(({ approval_id }) => approval_id);
  const chosen = waiting.find(({ approval_id }) => approval_id === approval) ?? waiting[0] ?? null;
  const go = (by: 1 | -1) => onChoose(neighbour(ids, chosen?.approval_id ?? null, by));
  useKeys({ j: () => go(1), k: () => go(-1) }, true);
  if (data === undefined) {
    return error === null ? <Waiting lines={8} /> : <AskProblem error={error} />;
  }
  return (
    <>
      <AskProblem error={error} />
      <DoneLine doing={doing} className="mb-1" />
      {waiting.length === 0 ? (
        <Card title="Inbox">
          <Empty title="Nothing waits for you" command="./lakemill agent approve">
            What agents ask you, or a group of yours, to decide appears here by itself.
          </Empty>
        </Card>
      ) : (
        <div className="grid grid-cols-1 gap-4 xl:grid-cols-12">
          <Card
            title={`Inbox (${waiting.length})`}
            explanation="j and k go down and up; a accepts, e edits, r responds, i ignores, d hands on."
            className="self-start xl:col-span-4"
          >
            <ul className="max-h-[70vh] overflow-y-auto">
              {waiting.map((one) => (
                <WaitingRow
                  key={one.approval_id}
                  approval={one}
                  isChosen={one === chosen}
                  onChoose={() => onChoose(one.approval_id)}
                />
              ))}
            </ul>
          </Card>
          {chosen !== null && (
            <DecisionCard
              key={chosen.approval_id}
              approval={chosen}
              doing={doing}
              className="xl:col-span-8"
            />
          )}
        </div>
      )}
      <Decided />
    </>
  );
}

interface WaitingRowProps {
  readonly approval: Approval;
  readonly isChosen: boolean;
  readonly onChoose: () => void;
}

function WaitingRow({ approval, isChosen, onChoose }: WaitingRowProps) {
  const now = useNow();
  const row = useRef<HTMLLIElement>(null);
  const expires = Date.parse(approval.expires_at);
  useEffect(() => {
    if (isChosen) {
      row.current?.scrollIntoView({ block: "nearest" });
    }
  }, [isChosen]);
  return (
    <li
      ref={row}
      className={`relative border-t border-line px-4 py-2.5 hover:bg-sunken sm:px-5 ${
        isChosen ? "bg-accent-tint" : ""
      }`}
    >
      <button
        type="button"
        aria-pressed={isChosen}
        onClick={onChoose}
        className="block w-full text-left font-medium break-words after:absolute after:inset-0 hover:text-accent"
      >
        {subjectOf(approval)}
      </button>
      <p className="flex flex-wrap items-center gap-x-2 gap-y-1 text-xs text-muted">
        {approval.agent}, {formatAway(Date.parse(approval.created_at), now)}
        {expires - now < SOON_MILLIS && <Chip tone="warn">expires {formatDue(expires, now)}</Chip>}
      </p>
    </li>
  );
}

/** What is asked, in a line. */
function subjectOf({ action, args }: Approval): string {
  const subject = args.subject;
  return typeof subject === "string" && subject !== "" ? subject : titleOf(action);
}

const PAST: Record<string, string> = {
  accept: "accepted",
  edit: "edited",
  respond: "answered",
  ignore: "ignored",
};

/** What was decided lately, by whom; so that nobody wonders where an approval went. */
function Decided() {
  const { data } = useAsked<Answer>(`${APPROVALS}?state=ended&limit=20`, 5_000);
  const now = useNow();
  if (data === undefined || data.approvals.length === 0) {
    return null;
  }
  return (
    <Card title="Ended lately" className="mt-4">
      <table className="w-full text-sm">
        <thead className="text-muted">
          <tr>
            <th scope="col" className="py-1.5 pl-4 text-left font-normal sm:pl-5">
              Asked
            </th>
            <th scope="col" className="px-3 py-1.5 text-left font-normal">
              Outcome
            </th>
            <th scope="col" className="py-1.5 pr-4 text-right font-normal max-sm:hidden sm:pr-5">
              When
            </th>
          </tr>
        </thead>
        <tbody>
          {data.approvals.map((one) => (
            <tr key={one.approval_id} className="border-t border-line align-top">
              <th scope="row" className="py-1.5 pl-4 text-left font-normal break-words sm:pl-5">
                <Link to="/runs/$run" params={{ run: one.run_id }} className="hover:text-accent">
                  <span className="font-medium">{subjectOf(one)}</span>{" "}
                  <span className="text-muted">{one.agent}</span>
                </Link>
              </th>
              <td className="px-3 py-1.5">
                {one.state === "decided"
                  ? `${PAST[one.decision] ?? one.decision} by ${one.decided_by}`
                  : one.state}
              </td>
              <td className="py-1.5 pr-4 text-right whitespace-nowrap text-muted max-sm:hidden sm:pr-5">
                {formatAway(one.decided_at === null ? null : Date.parse(one.decided_at), now)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Card>
  );
}
