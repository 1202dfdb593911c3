import { Card, formatEuro, formatNumber, Meter } from "@lakemill/console/ui";
import { useMemo } from "react";
import { groupBy } from "../derive/group.ts";
import { formatMoney, total } from "../derive/money.ts";
import { byRule, RULES } from "../derive/orders.ts";
import { type Invoice, TABLES, type Variance } from "../tables.ts";

interface AtStakeProps {
  readonly variances: readonly Variance[];
  readonly invoices: ReadonlyMap<string, Invoice>;
  readonly className?: string;
}

/** What is billed wrongly, by rule; amounts of other currencies are said beside, not added. */
export function AtStake({ variances, invoices, className = "" }: AtStakeProps) {
  const { euro, others } = useMemo(() => {
    const currencyOf = (row: Variance) => invoices.get(row.invoice_id)?.currency ?? "EUR";
    const groups = groupBy(variances, currencyOf);
    return {
      euro: groups.get("EUR") ?? [],
      others: [...groups]
        .map(
          ([currency, rows]) => [currency, rows.filter(({ state }) => state === "open")] as const,
        )
        .filter(([currency, rows]) => currency !== "EUR" && rows.length > 0),
    };
  }, [variances, invoices]);
  const rules = byRule(euro);
  const most = rules[0]?.amount ?? 0;
  const open = euro.filter(({ state }) => state === "open");
  return (
    <Card title="At stake" className={`mb-4 ${className}`} table={TABLES.variances}>
      <div className="grid gap-x-8 gap-y-3 px-4 pb-4 sm:px-5 lg:grid-cols-[auto_1fr]">
        <p className="lg:w-56">
          <span className="block text-2xl font-semibold tracking-tight">
            {formatEuro(total(open.map(({ amount }) => Math.abs(amount ?? 0))), 0)}
          </span>
          <span className="text-muted">
            in {formatNumber(open.length)} open variances
            {others.map(([currency, rows]) => (
              <span key={currency}>
                , and{" "}
                <bdi>
                  {formatMoney(total(rows.map(({ amount }) => Math.abs(amount ?? 0))), currency, 0)}
                </bdi>
              </span>
            ))}
          </span>
        </p>
        <ul className="grid gap-x-8 gap-y-1 sm:grid-cols-2 2xl:grid-cols-3">
          {rules.map(({ rule, count, amount }) => (
            <li key={rule} className="flex items-center gap-3 text-sm">
              <span className="w-32 shrink-0 truncate sm:w-40" title={RULES[rule] ?? rule}>
                {RULES[rule] ?? rule}
              </span>
              <Meter value={amount} max={most} tone="bad" className="grow" />
              <span className="w-24 shrink-0 text-right whitespace-nowrap">
                {formatEuro(amount, 0)} <span className="text-muted">· {formatNumber(count)}</span>
              </span>
            </li>
          ))}
        </ul>
      </div>
    </Card>
  );
}
