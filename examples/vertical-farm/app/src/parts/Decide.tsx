import { formatAway, useNow } from "@lakemill/console/ui";
import { type ChangeEvent, type FormEvent, type ReactNode, useId, useState } from "react";
import { type DecisionBody, decide } from "../api.ts";
import { argsOf, isEditable } from "../derive/negotiation.ts";
import { UNDO_MILLIS } from "../frame/actions.ts";
import { Button } from "../frame/Button.tsx";
import { Dialog } from "../frame/Dialog.tsx";
import { useMe } from "../frame/me.ts";
import { actions, useAction } from "../frame/useActions.ts";
import { useKeys } from "../frame/useKeys.ts";
import { told } from "../refused.ts";
import type { Approval } from "../tables.ts";

interface DecideProps {
  readonly approval: Approval;
  /** What it is about. */
  readonly name: string;
}

type Asked = "edit" | "respond" | "delegate";

/** The five ways to decide; each can be taken back for a moment before it is sent. */
export function Decide({ approval, name }: DecideProps) {
  const [asked, setAsked] = useState<Asked | null>(null);
  const now = useNow();
  const under = useAction(keyOf(approval));
  const canDecide = useMe()?.can_decide ?? false;
  const isPossible = canDecide && under === undefined;
  const isOffer = approval.action === "accept_counter_offer";
  const take = (label: string, body: DecisionBody) => {
    setAsked(null);
    plan(approval, `${label} ${name}`, body);
  };
  const accept = () => take("Accept", { decision: "accept" });
  const ignore = () => take("Ignore", { decision: "ignore" });
  const key = (keys: string, label: string, run: () => void) => ({
    keys,
    label,
    run: () => isPossible && run(),
  });
  useKeys("Decision", [
    key("a", isOffer ? "Accept the offer" : "Accept and send", accept),
    ...(isEditable(approval) ? [key("e", "Edit, then accept", () => setAsked("edit"))] : []),
    key("r", "Answer in words instead", () => setAsked("respond")),
    key("d", "Hand on to somebody else", () => setAsked("delegate")),
    key("x", "Ignore", ignore),
  ]);
  return (
    <div className="flex flex-col gap-2 px-4 py-3 sm:px-5">
      <div className="flex flex-wrap gap-2">
        <Button look="main" keyHint="a" disabled={!isPossible} onClick={accept}>
          {isOffer ? "Accept offer" : "Accept"}
        </Button>
        {isEditable(approval) && (
          <Button keyHint="e" disabled={!isPossible} onClick={() => setAsked("edit")}>
            Edit
          </Button>
        )}
        <Button keyHint="r" disabled={!isPossible} onClick={() => setAsked("respond")}>
          Respond
        </Button>
        <Button keyHint="d" disabled={!isPossible} onClick={() => setAsked("delegate")}>
          Delegate
        </Button>
        <Button look="bad" keyHint="x" disabled={!isPossible} onClick={ignore}>
          Ignore
        </Button>
      </div>
      <p className="text-sm text-muted">
        {under !== undefined
          ? `${under.label}: ${under.phase === "waiting" ? "z takes it back" : under.phase}`
          : canDecide
            ? `Asked by ${approval.agent}${approval.expires_at === null ? "" : `, expires ${formatAway(approval.expires_at, now)}`}. ${isOffer ? "" : "Accepting reserves the cost and sends the e-mail."}`
            : "You may look, but not decide."}
      </p>
      {asked === "edit" && (
        <EditDialog
          approval={approval}
          onClose={() => setAsked(null)}
          onDone={(args) => take("Edit and accept", { decision: "edit", args })}
        />
      )}
      {asked === "respond" && (
        <TextDialog
          title="Respond"
          label="Your words"
          words="The agent gets your words instead of a yes. Nothing is sent to the supplier, and the request is dismissed."
          onClose={() => setAsked(null)}
          onDone={(text) => take("Respond to", { decision: "respond", text })}
        />
      )}
      {asked === "delegate" && (
        <TextDialog
          title="Delegate"
          label="User or group"
          words="From then on they alone are asked."
          isShort
          onClose={() => setAsked(null)}
          onDone={(to) => take("Delegate", { decision: "delegate", to })}
        />
      )}
    </div>
  );
}

function keyOf(approval: Approval): string {
  return `approval ${approval.approval_id}`;
}

function plan(approval: Approval, label: string, body: DecisionBody): void {
  actions.start({
    key: keyOf(approval),
    label,
    undoMillis: UNDO_MILLIS,
    send: async () => {
      try {
        return (await decide(approval.approval_id, body)).outcome.toLowerCase();
      } catch (error) {
        throw told(error);
      }
    },
  });
}

interface EditDialogProps {
  readonly approval: Approval;
  readonly onClose: () => void;
  readonly onDone: (args: { subject: string; body: string }) => void;
}

function EditDialog({ approval, onClose, onDone }: EditDialogProps) {
  const args = argsOf(approval);
  const [subject, setSubject] = useState(String(args.subject));
  const [body, setBody] = useState(String(args.body));
  return (
    <Dialog title="Edit the e-mail" onClose={onClose}>
      <Form
        submit="Accept as edited"
        isReady={subject.trim() !== "" && body.trim() !== ""}
        onSubmit={() => onDone({ subject, body })}
      >
        <label className="flex flex-col gap-1">
          <span className="text-sm text-muted">Subject</span>
          <input
            value={subject}
            onChange={(event) => setSubject(event.target.value)}
            dir="auto"
            className="h-10 rounded-lg border border-muted bg-surface px-3"
          />
        </label>
        <label className="flex flex-col gap-1">
          <span className="text-sm text-muted">Text</span>
          <textarea
            data-autofocus
            rows={12}
            value={body}
            onChange={(event) => setBody(event.target.value)}
            dir="auto"
            className="rounded-lg border border-muted bg-surface px-3 py-2"
          />
        </label>
      </Form>
    </Dialog>
  );
}

interface TextDialogProps {
  readonly title: string;
  readonly label: string;
  readonly words: string;
  readonly isShort?: boolean;
  readonly onClose: () => void;
  readonly onDone: (text: string) => void;
}

function TextDialog({ title, label, words, isShort = false, onClose, onDone }: TextDialogProps) {
  const [text, setText] = useState("");
  const field = {
    id: useId(),
    value: text,
    onChange: (event: ChangeEvent<HTMLInputElement | HTMLTextAreaElement>) =>
      setText(event.target.value),
    className: "rounded-lg border border-muted bg-surface px-3 py-2",
    "data-autofocus": true,
  };
  return (
    <Dialog title={title} onClose={onClose} className="sm:w-[30rem]">
      <Form submit={title} isReady={text.trim() !== ""} onSubmit={() => onDone(text.trim())}>
        <p className="text-sm text-muted">{words}</p>
        <div className="flex flex-col gap-1">
          <label htmlFor={field.id} className="text-sm text-muted">
            {label}
          </label>
          {isShort ? <input {...field} /> : <textarea {...field} rows={5} />}
        </div>
      </Form>
    </Dialog>
  );
}

interface FormProps {
  readonly submit: string;
  readonly isReady: boolean;
  readonly onSubmit: () => void;
  readonly children: ReactNode;
}

/** Ctrl+Enter submits from within a text of many lines. */
export function Form({ submit, isReady, onSubmit, children }: FormProps) {
  const done = (event: FormEvent) => {
    event.preventDefault();
    if (isReady) {
      onSubmit();
    }
  };
  return (
    <form
      className="flex flex-col gap-3 px-5 pb-5"
      onSubmit={done}
      onKeyDown={(event) => {
        if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
          done(event);
        }
      }}
    >
      {children}
      <div className="flex justify-end">
        <Button type="submit" look="main" disabled={!isReady}>
          {submit}
        </Button>
      </div>
    </form>
  );
}
