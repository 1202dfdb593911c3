import { useEffect, useState } from "react";

/** The SKU that the address names, "#sku=pea-shoots"; the address can be shared and gone back to. */
function named(): string | null {
  return new URLSearchParams(window.location.hash.slice(1)).get("sku");
}

/**
 * The chosen SKU, and how to choose another. Until a reader chooses, it is the first one that was
 * proposed: it stays the same even when another becomes more urgent.
 */
export function useChosenSku(proposed: string | undefined) {
  const [chosen, setChosen] = useState(named);
  if (chosen === null && proposed !== undefined) {
    setChosen(proposed);
  }
  useEffect(() => {
    const follow = () => setChosen(named());
    window.addEventListener("hashchange", follow);
    return () => window.removeEventListener("hashchange", follow);
  }, []);
  const choose = (sku: string) => {
    window.location.hash = new URLSearchParams({ sku }).toString();
  };
  return { sku: chosen, choose };
}
