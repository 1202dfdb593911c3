import { Link } from "@tanstack/react-router";
import { type ReactNode, useEffect, useId, useRef, useState } from "react";
import { Card, Chip, formatAway, formatDue, useNow } from "../../ui/index.ts";
import { APPROVALS, type Approval } from "../agents/agents.ts";
import { type Doing, post } from "../api.ts";
import { authorOf } from "../parts/author.ts";
import { Button } from "../parts/Button.tsx";
import { DraftedBy } from "../parts/DraftedBy.tsx";
import { useKeys } from "../parts/keys.ts";
import { changesOf, type Field, fieldsOf, titleOf } from "./edit.ts";

/** A key that was on its way when this approval came into the card was meant for another one. */
const SETTLE_MILLIS = 700;

type Mode = "look" | "edit" | "respond" | "delegate";

interface DecisionCardProps {
  readonly approval: Approval;
  readonly doing: Doing;
  readonly className?: string;
}

/** One approval, and all that can be done with it. */
export function DecisionCard({ approval, doing, className = "" }: DecisionCardProps) {
  const [mode, setMode] = useState<Mode>("look");
  const now = useNow();
  const cameAtMillis = useRef(Number.POSITIVE_INFINITY);
  useEffect(() => {
    cameAtMillis.current = performance.now();
  }, []);
  const may = (decision: string) => approval.allowed.includes(decision);
  const path = `${APPROVALS}/${approval.approval_id}`;
  const decide = (body: Record<string, unknown>, done: string) =>
    doing.run(async () => {
      await post(`${path}/decide`, body);
      return done;
    });
  const accept = () => decide({ decision: "accept" }, "Accepted.");
  const ignore = () => decide({ decision: "ignore" }, "Ignored: the agent goes on without it.");
  const only = (allowed: boolean, action: () => void) => () => {
    if (allowed && !doing.isRunning && mode === "look") {
      action();
    }
  };
  const settled = (action: () => void) => () => {
    if (performance.now() - cameAtMillis.current >= SETTLE_MILLIS) {
      action();
    }
  };
  useKeys({
    a: only(may("accept"), settled(accept)),
    e: only(may("edit"), () => setMode("edit")),
    r: only(may("respond"), () => setMode("respond")),
    i: only(may("ignore"), settled(ignore)),
    d: only(true, () => setMode("delegate")),
  });
  const author = authorOf(approval.args.drafted_by, approval.args.model);
  const expires = Date.parse(approval.expires_at);
  return (
    <Card title={titleOf(approval.action)} className={`self-start ${className}`}>
      <div className="px-4 pb-4 sm:px-5">
        <div className="flex flex-wrap items-center gap-x-3 gap-y-1 text-sm text-muted">
          <span>
            <Link
              to="/runs/$run"
              params={{ run: approval.run_id }}
              className="font-medium text-accent hover:underline"
            >
              {approval.agent}
            </Link>{" "}
            asks {approval.assignees.join(", ")}, {formatAway(Date.parse(approval.created_at), now)}
          </span>
          <Chip tone={expires - now < 60 * 60 * 1_000 ? "warn" : "plain"}>
            expires {formatDue(expires, now)}
          </Chip>
          {author && <DraftedBy author={author} />}
        </div>
        {approval.description !== "" && (
          <p className="mt-3 max-w-prose whitespace-pre-wrap">{approval.description}</p>
        )}
        {mode === "edit" ? (
          <EditForm
            fields={fieldsOf(approval)}
            isRunning={doing.isRunning}
            onSend={(args) => decide({ decision: "edit", args }, "Accepted with your changes.")}
            onClose={() => setMode("look")}
          />
        ) : (
          <Arguments fields={fieldsOf(approval)} />
        )}
        {mode === "look" && (
          <div className="mt-4 flex flex-wrap gap-2">
            {may("accept") && (
              <Button look="main" shortcut="a" onClick={accept} disabled={doing.isRunning}>
                Accept
              </Button>
            )}
            {may("edit") && (
              <Button shortcut="e" onClick={() => setMode("edit")} disabled={doing.isRunning}>
                Edit
              </Button>
            )}
            {may("respond") && (
              <Button shortcut="r" onClick={() => setMode("respond")} disabled={doing.isRunning}>
                Respond
              </Button>
            )}
            {may("ignore") && (
              <Button look="danger" shortcut="i" onClick={ignore} disabled={doing.isRunning}>
                Ignore
              </Button>
            )}
            <Button shortcut="d" onClick={() => setMode("delegate")} disabled={doing.isRunning}>
              Hand on
            </Button>
          </div>
        )}
        {mode === "respond" && (
          <WordsForm
            label="What the agent should know; nothing is sent or done"
            action="Respond"
            isLong
            isRunning={doing.isRunning}
            onSend={(response) => decide({ decision: "respond", response }, "Answered.")}
            onClose={() => setMode("look")}
          />
        )}
        {mode === "delegate" && (
          <WordsForm
            label="User or group who is asked instead of all who were"
            action="Hand on"
            isRunning={doing.isRunning}
            onSend={(to) =>
              doing.run(async () => {
                await post(`${path}/delegate`, { to });
                return `Handed on to ${to}.`;
              })
            }
            onClose={() => setMode("look")}
          />
        )}
      </div>
    </Card>
  );
}

function Arguments({ fields }: { fields: readonly Field[] }) {
  return (
    <dl className="mt-3 grid grid-cols-1 gap-x-4 gap-y-2 sm:grid-cols-[minmax(6rem,auto)_1fr]">
      {fields.map(({ name, text, isText, isLong }) => (
        <div key={name} className="contents">
          <dt className="text-sm text-muted">{name}</dt>
          <dd
            className={`min-w-0 break-words ${
              isLong
                ? `max-w-prose rounded-lg border border-line bg-sunken px-3 py-2 whitespace-pre-wrap ${
                    isText ? "" : "font-mono text-sm"
                  }`
                : ""
            }`}
          >
            {text}
          </dd>
        </div>
      ))}
    </dl>
  );
}

const INPUT =
  "w-full rounded-lg border border-line-strong bg-surface px-3 py-1.5 text-base text-ink placeholder:text-muted";

interface FormProps {
  readonly isRunning: boolean;
  readonly onClose: () => void;
}

/** Ctrl-Enter sends, Escape leaves all as it was. */
function Form({
  children,
  action,
  isRunning,
  onSubmit,
  onClose,
}: FormProps & { children: ReactNode; action: string; onSubmit: () => void }) {
  return (
    <form
      className="mt-3 flex max-w-prose flex-col gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit();
      }}
      onKeyDown={(event) => {
        if (event.key === "Escape") {
          onClose();
        } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
          event.preventDefault();
          event.currentTarget.requestSubmit();
        }
      }}
    >
      {children}
      <div className="flex gap-2">
        <Button look="main" type="submit" disabled={isRunning}>
          {action}
        </Button>
        <Button onClick={onClose}>Back</Button>
      </div>
    </form>
  );
}

interface EditFormProps extends FormProps {
  readonly fields: readonly Field[];
  readonly onSend: (args: Record<string, unknown>) => void;
}

function EditForm({ fields, isRunning, onSend, onClose }: EditFormProps) {
  const [written, setWritten] = useState<Record<string, string>>({});
  const [problem, setProblem] = useState("");
  const id = useId();
  const first = fields.find(({ isFixed }) => !isFixed)?.name;
  const send = () => {
    try {
      const changes = changesOf(fields, written);
      if (Object.keys(changes).length === 0) {
        setProblem("Nothing is changed: go back, and accept it as it is.");
      } else {
        onSend(changes);
      }
    } catch (error) {
      setProblem((error as Error).message);
    }
  };
  return (
    <Form action="Accept with changes" isRunning={isRunning} onSubmit={send} onClose={onClose}>
      {fields.map(({ name, text, isLong, isText, isFixed }) => {
        const common = {
          id: `${id}-${name}`,
          value: written[name] ?? text,
          readOnly: isFixed,
          // The reader pressed a key or button to write here.
          autoFocus: name === first,
          onChange: (event: { target: { value: string } }) =>
            setWritten({ ...written, [name]: event.target.value }),
        };
        return (
          <div key={name}>
            <label htmlFor={common.id} className="mb-1 block text-sm text-muted">
              {name}
              {isFixed && " (cannot be changed)"}
            </label>
            {isLong ? (
              <textarea
                {...common}
                rows={Math.min(16, Math.max(4, text.split("\n").length + 1))}
                className={`${INPUT} ${isText ? "" : "font-mono"}`}
              />
            ) : (
              <input {...common} className={`${INPUT} read-only:bg-sunken read-only:text-muted`} />
            )}
          </div>
        );
      })}
      <p role="alert" className="text-sm text-bad empty:hidden">
        {problem}
      </p>
    </Form>
  );
}

interface WordsFormProps extends FormProps {
  readonly label: string;
  readonly action: string;
  readonly isLong?: boolean;
  readonly onSend: (words: string) => void;
}

function WordsForm({ label, action, isLong = false, isRunning, onSend, onClose }: WordsFormProps) {
  const [words, setWords] = useState("");
  const id = useId();
  const common = {
    id,
    value: words,
    required: true,
    // The reader pressed a key or button to write here.
    autoFocus: true,
    className: INPUT,
    onChange: (event: { target: { value: string } }) => setWords(event.target.value),
  };
  return (
    <Form
      action={action}
      isRunning={isRunning}
      onSubmit={() => words.trim() !== "" && onSend(words.trim())}
      onClose={onClose}
    >
      <div>
        <label htmlFor={id} className="mb-1 block text-sm text-muted">
          {label}
        </label>
        {isLong ? <textarea {...common} rows={4} /> : <input {...common} autoComplete="off" />}
      </div>
    </Form>
  );
}
