import {
  Card,
  Chip,
  formatAway,
  formatDate,
  formatGrams,
  formatNumber,
  useNow,
} from "@lakemill/console/ui";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { formatMoney } from "../derive/money.ts";
import { argsOf, type Negotiation, standing, strongParts } from "../derive/negotiation.ts";
import { DraftedBy } from "../frame/Drafter.tsx";
import { useSkuName, useSupplierName } from "../frame/names.ts";
import { TraceLink } from "../frame/TraceLink.tsx";
import { type Email, type Reply, type Rfq, TABLES } from "../tables.ts";
import { Decide } from "./Decide.tsx";

/** One request, as the correspondence that it is; what is to be decided stands at its end. */
export function NegotiationDetail({ negotiation }: { negotiation: Negotiation }) {
  const { rfq, email, replies, approval, order } = negotiation;
  const skuName = useSkuName();
  const supplierName = useSupplierName();
  const { label, tone } = standing(negotiation);
  const name = rfq ? skuName(rfq.sku) : (approval?.action ?? "");
  return (
    <Card
      title={rfq ? `${name} from ${supplierName(rfq.supplier_id)}` : name}
      table={TABLES.rfqs}
      actions={
        <>
          <Chip tone={tone}>{label}</Chip>
          {rfq && <TraceLink kind="rfq" id={rfq.id} of={`the request of ${name}`} />}
        </>
      }
    >
      {rfq && <Facts rfq={rfq} />}
      <ol aria-label="Correspondence" className="flex flex-col gap-3 px-4 pt-1 pb-4 sm:px-5">
        {rfq && (
          <Message who={rfq.requested_by} did="asked for it" atMillis={rfq.created_at}>
            {rfq.reason}
          </Message>
        )}
        {email && <Draft email={email} to={supplierName(email.supplier_id)} />}
        {replies.map((reply) => (
          <Answer key={reply.id} reply={reply} rfq={rfq} from={supplierName(reply.supplier_id)} />
        ))}
        {order && (
          <Message who="buyer" did="ordered it" atMillis={order.ordered_at}>
            <Link
              to="/orders"
              search={{ id: order.number }}
              className="font-medium text-accent underline"
            >
              {order.number}
            </Link>{" "}
            for {formatMoney(order.total, order.currency)}, before tax
          </Message>
        )}
      </ol>
      {approval && (
        <section aria-label="Decision" className="border-t border-line">
          <Described markdown={approval.markdown} />
          {email === null && <Arguments args={argsOf(approval)} />}
          <Decide approval={approval} name={name} />
        </section>
      )}
    </Card>
  );
}

function Facts({ rfq }: { rfq: Rfq }) {
  const now = useNow();
  const facts = [
    ["Amount", formatGrams(rfq.grams), ""],
    ["Expected cost", formatMoney(rfq.expected_cost, rfq.currency), ""],
    ["Quoted", `${formatMoney(rfq.quoted_price_per_kg, rfq.currency)}/kg`, ""],
    ["Needed by", formatDate(rfq.needed_by), formatAway(rfq.needed_by, now)],
  ] as const;
  return (
    <dl className="grid grid-cols-2 gap-x-4 gap-y-2 px-4 pb-4 sm:grid-cols-4 sm:px-5">
      {facts.map(([name, value, note]) => (
        <div key={name}>
          <dt className="text-xs text-muted">{name}</dt>
          <dd className="font-medium">{value}</dd>
          {note !== "" && <dd className="text-xs text-muted">{note}</dd>}
        </div>
      ))}
    </dl>
  );
}

interface MessageProps {
  readonly who: string;
  readonly did: string;
  readonly atMillis: number | null;
  readonly mark?: ReactNode;
  readonly isTheirs?: boolean;
  readonly children: ReactNode;
}

/** A step of the correspondence; what suppliers say stands at the other side. */
function Message({ who, did, atMillis, mark, isTheirs = false, children }: MessageProps) {
  const now = useNow();
  return (
    <li
      className={`flex max-w-3xl min-w-0 flex-col gap-1 rounded-card border px-4 py-3 ${isTheirs ? "ml-4 border-line-strong sm:ml-12" : "mr-4 border-line bg-sunken/50 sm:mr-12"}`}
    >
      <p className="flex flex-wrap items-center gap-x-2 gap-y-1 text-sm">
        <bdi className="max-w-full truncate font-medium">{who}</bdi>
        <span className="text-muted">
          {did} {formatAway(atMillis, now)}
        </span>
        {mark}
      </p>
      <div className="text-pretty break-words">{children}</div>
    </li>
  );
}

/** Subject and body are text from elsewhere: they are shown as text, whatever they hold. */
function Draft({ email, to }: { email: Email; to: string }) {
  const isSent = email.state === "sent";
  return (
    <Message
      who={isSent ? "E-mail" : "Draft"}
      did={`to ${to}, ${email.state}`}
      atMillis={email.sent_at ?? email.committed_at ?? email.created_at}
      mark={<DraftedBy by={email.drafted_by} model={email.model} />}
    >
      <p className="pb-1 font-semibold">
        <bdi>{email.subject}</bdi>
      </p>
      <p className="whitespace-pre-wrap" dir="auto">
        {email.body}
      </p>
      {email.decided_by !== "" && (
        <p className="pt-1 text-sm text-muted">
          decided by <bdi>{email.decided_by}</bdi>
        </p>
      )}
      {email.blocked_reason !== "" && (
        <p className="pt-1 text-sm font-medium text-bad">{email.blocked_reason}</p>
      )}
    </Message>
  );
}

const KINDS: Readonly<Record<string, string>> = {
  accept: "accepted",
  counter: "made a counter-offer",
  decline: "declined",
};

function Answer({ reply, rfq, from }: { reply: Reply; rfq: Rfq | null; from: string }) {
  const currency = rfq?.currency ?? "EUR";
  const change =
    reply.price_per_kg !== null && rfq?.quoted_price_per_kg
      ? reply.price_per_kg / rfq.quoted_price_per_kg - 1
      : null;
  return (
    <Message who={from} did={KINDS[reply.kind] ?? reply.kind} atMillis={reply.received_at} isTheirs>
      {(reply.price_per_kg !== null || reply.grams !== null) && (
        <p className="font-medium">
          {reply.price_per_kg !== null && `${formatMoney(reply.price_per_kg, currency, 4)}/kg`}
          {reply.grams !== null && ` for ${formatGrams(reply.grams)}`}
          {change !== null && (
            <span className={change > 0 ? "text-bad" : "text-good"}>
              {" "}
              {change > 0 ? "+" : "−"}
              {formatNumber(Math.abs(change) * 100, 1)} % against the quote
            </span>
          )}
        </p>
      )}
      <p className="whitespace-pre-wrap" dir="auto">
        {reply.text}
      </p>
    </Message>
  );
}

function Described({ markdown }: { markdown: string }) {
  return (
    <p className="px-4 pt-3 text-pretty break-words sm:px-5" dir="auto">
      {strongParts(markdown).map(({ text, strong }, index) =>
        strong ? (
          // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a text never move
          <strong key={index} className="font-semibold">
            {text}
          </strong>
        ) : (
          // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a text never move
          <span key={index}>{text}</span>
        ),
      )}
    </p>
  );
}

function Arguments({ args }: { args: Readonly<Record<string, unknown>> }) {
  return (
    <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-1 px-4 pt-2 text-sm sm:px-5">
      {Object.entries(args).map(([name, value]) => (
        <div key={name} className="contents">
          <dt className="text-muted">{name}</dt>
          <dd className="min-w-0 break-words whitespace-pre-wrap" dir="auto">
            {typeof value === "string" ? value : JSON.stringify(value)}
          </dd>
        </div>
      ))}
    </dl>
  );
}
