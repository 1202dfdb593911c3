import { formatEuro, formatGrams } from "@lakemill/console/ui";
import { useState } from "react";
import { costOf } from "../derive/money.ts";
import { Button } from "../frame/Button.tsx";
import { Dialog } from "../frame/Dialog.tsx";
import type { Offer } from "../tables.ts";
import { request } from "./RequestButton.tsx";

interface RequestDialogProps {
  readonly offer: Offer;
  readonly name: string;
  /** What would bring the cover to ten days; null when there is enough. */
  readonly recommendedGrams: number | null;
  readonly onClose: () => void;
}

/** How much to ask a supplier for. */
export function RequestDialog({ offer, name, recommendedGrams, onClose }: RequestDialogProps) {
  const least = offer.min_order_grams ?? 1;
  const [kilograms, setKilograms] = useState(
    String(Math.max(least, recommendedGrams ?? least) / 1_000),
  );
  const grams = Math.round(Number(kilograms.replace(",", ".")) * 1_000);
  const isEnough = Number.isFinite(grams) && grams >= least;
  const send = () => {
    request({
      sku: offer.sku,
      name,
      supplierId: offer.supplier_id,
      supplierName: offer.supplier_name,
      grams,
    });
    onClose();
  };
  return (
    <Dialog title={`Request ${name}`} onClose={onClose} className="sm:w-[28rem]">
      <form
        className="flex flex-col gap-3 px-5 pb-5"
        onSubmit={(event) => {
          event.preventDefault();
          if (isEnough) {
            send();
          }
        }}
      >
        <p>
          From <bdi className="font-medium">{offer.supplier_name}</bdi> at{" "}
          {formatEuro(offer.price_per_kg, 2)}/kg.
        </p>
        <label className="flex flex-col gap-1">
          <span className="text-sm text-muted">Kilograms</span>
          <input
            data-autofocus
            inputMode="decimal"
            value={kilograms}
            onChange={(event) => setKilograms(event.target.value)}
            aria-invalid={!isEnough}
            aria-describedby="least"
            className="h-10 rounded-lg border border-muted bg-surface px-3 aria-invalid:border-bad"
          />
          <span id="least" className={`text-sm ${isEnough ? "text-muted" : "text-bad"}`}>
            at least {formatGrams(least)}
            {recommendedGrams !== null && `; ${formatGrams(recommendedGrams)} cover ten days`}
          </span>
        </label>
        <div className="flex items-center justify-between gap-3">
          <p>
            about{" "}
            <strong className="font-semibold">
              {formatEuro(isEnough ? costOf(grams, offer.price_per_kg) : null)}
            </strong>
          </p>
          <Button type="submit" look="main" disabled={!isEnough}>
            Request
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
