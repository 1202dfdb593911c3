import { useRows } from "@lakemill/console/live";
import { Chip } from "@lakemill/console/ui";
import { Link } from "@tanstack/react-router";
import { requestQuote } from "../api.ts";
import { openRfq } from "../derive/negotiation.ts";
import { Button } from "../frame/Button.tsx";
import { useMe } from "../frame/me.ts";
import { actions, useAction } from "../frame/useActions.ts";
import { told } from "../refused.ts";
import { RFQS, type Rfq, TABLES } from "../tables.ts";

export interface Wish {
  readonly sku: string;
  readonly name: string;
  readonly supplierId: string;
  readonly supplierName: string;
  readonly grams: number;
}

const keyOf = (sku: string) => `rfq ${sku}`;
const NONE: readonly Rfq[] = [];

/** Asks for a quotation at once: nothing is sent before people have approved the draft. */
export function request({ sku, name, supplierId, supplierName, grams }: Wish): void {
  actions.start({
    key: keyOf(sku),
    label: `Request ${name} from ${supplierName}`,
    undoMillis: 0,
    send: async () => {
      try {
        await requestQuote({ sku, supplier_id: supplierId, grams });
        return "The draft comes to Negotiations for approval.";
      } catch (error) {
        throw told(error);
      }
    },
  });
}

/** Whether a quotation for the SKU can be asked for now, and what is in the way. */
export function useRequestable(sku: string) {
  const rfqs = useRows(TABLES.rfqs, RFQS) ?? NONE;
  const open = openRfq(rfqs, sku);
  const isRunning = useAction(keyOf(sku)) !== undefined;
  const canRequest = useMe()?.can_request ?? false;
  return { open, isRunning, isPossible: canRequest && open === undefined && !isRunning };
}

interface RequestButtonProps {
  readonly wish: Wish;
  readonly keyHint?: string;
}

/** One click asks for a quotation; while a request is open, it tells where that stands instead. */
export function RequestButton({ wish, keyHint }: RequestButtonProps) {
  const { open, isRunning, isPossible } = useRequestable(wish.sku);
  const me = useMe();
  if (open !== undefined) {
    return <OpenRequest rfq={open} />;
  }
  return (
    <Button
      look="main"
      {...(keyHint ? { keyHint } : {})}
      disabled={!isPossible}
      title={
        me?.can_request === false
          ? "You may look, but not request quotations."
          : `Request a quotation from ${wish.supplierName}`
      }
      onClick={() => request(wish)}
    >
      {isRunning ? "Requesting…" : "Request"}
      <span className="sr-only">
        {wish.name} from {wish.supplierName}
      </span>
    </Button>
  );
}

/** Where an open request stands, short enough for the place of the button. */
const STANDINGS: Readonly<Record<string, string>> = {
  requested: "Being drafted",
  drafted: "In approval",
  sent: "Sent",
};

function OpenRequest({ rfq }: { rfq: Rfq }) {
  return (
    <Link
      to="/negotiations"
      search={{ id: rfq.id }}
      className="inline-flex min-h-9 items-center hover:underline"
      title="To the negotiation"
    >
      <Chip tone="plain">{STANDINGS[rfq.state] ?? rfq.state}</Chip>
    </Link>
  );
}
