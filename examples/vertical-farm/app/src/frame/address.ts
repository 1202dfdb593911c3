import { useNavigate, useSearch } from "@tanstack/react-router";

/** What a page keeps in its address, so that it can be shared and gone back to. */
export interface Search {
  /** Words that what is shown must contain. */
  readonly q?: string;
  /** What is chosen of the list. */
  readonly id?: string;
  /** Which part of the list is shown. */
  readonly box?: string;
  readonly sku?: string;
}

const NAMES = ["q", "id", "box", "sku"] as const;

/** The known parameters, those that are not empty. */
export function searchOf(parameters: Readonly<Record<string, unknown>>): Search {
  return Object.fromEntries(
    NAMES.map((name) => [name, parameters[name]]).filter(
      ([, value]) => typeof value === "string" && value !== "",
    ),
  );
}

export const parseSearch = (query: string): Record<string, string> =>
  Object.fromEntries(new URLSearchParams(query));

export function stringifySearch(search: Readonly<Record<string, unknown>>): string {
  const query = new URLSearchParams(searchOf(search) as Record<string, string>).toString();
  return query === "" ? "" : `?${query}`;
}

/** The address's parameters, and how to change some: an undefined one is taken out. */
export function useAddress() {
  const search = searchOf(useSearch({ strict: false }));
  const navigate = useNavigate();
  const change = (
    changed: { readonly [Name in keyof Search]?: string | undefined },
    { replace = true } = {},
  ) =>
    void navigate({
      to: ".",
      search: searchOf({ ...search, ...changed }) as never,
      replace,
      resetScroll: false,
    });
  return { search, change };
}
