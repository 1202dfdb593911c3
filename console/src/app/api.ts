import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

/** A refusal or failure in the server's own words. */
export class ApiError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const ROOT = () => new URL("/", document.baseURI);

async function ask<T>(path: string, init: RequestInit): Promise<T> {
  const response = await fetch(new URL(path, ROOT()), init).catch((error: unknown) => {
    if (error instanceof DOMException && error.name === "AbortError") {
      throw error;
    }
    throw new ApiError(0, `no answer from ${ROOT().host}: start Lakemill with ./lakemill up`);
  });
  const body: unknown = await response.json().catch(() => null);
  if (response.ok && body !== null) {
    return body as T;
  }
  throw new ApiError(response.status, explain(response.status, body));
}

/** What an answer that is no success says; Lakemill's form and OpenAI's. */
export function explain(status: number, body: unknown): string {
  if (status === 401) {
    return "you are logged out: reload the page to log in again";
  }
  const told = body as { message?: unknown; error?: { message?: unknown } } | null;
  const message = told?.message ?? told?.error?.message;
  return typeof message === "string" && message !== "" ? message : `the server answered ${status}`;
}

export function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return ask<T>(path, signal ? { signal } : {});
}

export function post<T>(path: string, body: unknown = {}): Promise<T> {
  return ask<T>(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
}

/** Asks again every so often, for as long as somebody looks; the newest answer stays on failure. */
export function useAsked<T>(path: string, everyMillis: number) {
  return useQuery<T, ApiError>({
    queryKey: [path],
    queryFn: ({ signal }) => get<T>(path, signal),
    refetchInterval: everyMillis,
    retry: false,
    staleTime: 0,
  });
}

/** Something that a reader does: it runs once at a time, and everything is asked for anew after it. */
export function useDoing() {
  const queries = useQueryClient();
  const doing = useMutation<string, ApiError, () => Promise<string>>({
    mutationFn: (action) => action(),
    onSettled: () => queries.invalidateQueries(),
  });
  return {
    /** The action gives what was done, in words. */
    run: (action: () => Promise<string>) => doing.mutate(action),
    isRunning: doing.isPending,
    done: doing.data ?? null,
    problem: doing.error,
  };
}

export type Doing = ReturnType<typeof useDoing>;
