import { Card, Chip, Empty, formatAway, useNow } from "../../ui/index.ts";
import { Json } from "../parts/Json.tsx";
import { isOpen, type Message, type Run } from "./agents.ts";

/** What people and programs have told a run while it went on, the oldest first. */
export function MessagesCard({ run }: { run: Run }) {
  return (
    <Card
      title="Messages"
      explanation="A run takes messages one by one, in their order, each as a step of its own."
    >
      {run.messages.length === 0 ? (
        <Empty title="Nobody has sent it one">
          {isOpen(run.status) && `./lakemill agent tell ${run.run_id} sends one.`}
        </Empty>
      ) : (
        <ol className="border-t border-line">
          {run.messages.map((message) => (
            <MessageRow key={message.id} message={message} run={run} />
          ))}
        </ol>
      )}
    </Card>
  );
}

function MessageRow({ message, run }: { message: Message; run: Run }) {
  const now = useNow();
  const { sender, on_behalf_of, seq, key } = message;
  return (
    <li className="flex flex-col gap-1 border-b border-line px-4 py-2.5 last:border-b-0 sm:px-5">
      <div className="flex flex-wrap items-baseline justify-between gap-x-3 gap-y-1">
        <p className="min-w-0 font-medium break-words">
          <bdi>{sender}</bdi>
          {on_behalf_of !== "" && (
            <span className="font-normal text-muted">
              {" "}
              for <bdi>{on_behalf_of}</bdi>
            </span>
          )}
        </p>
        {seq === null ? (
          <Chip tone={isOpen(run.status) ? "warn" : "plain"}>
            {isOpen(run.status) ? "waits" : "not taken"}
          </Chip>
        ) : (
          <Chip tone="good">step {seq}</Chip>
        )}
      </div>
      <p className="text-sm break-words text-muted">
        {formatAway(Date.parse(message.created_at), now)} · <bdi>{key}</bdi>
      </p>
      <Json label="Message" value={message.message} />
    </li>
  );
}
