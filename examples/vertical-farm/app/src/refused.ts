/** A request that the backend refused, in its own words. */
export class Refused extends Error {
  readonly status: number;
  readonly code: string;
  /** How to mend it; empty when there is no advice. */
  readonly hint: string;

  constructor(status: number, code: string, message: string, hint: string) {
    super(message);
    this.status = status;
    this.code = code;
    this.hint = hint;
  }
}

/** What an answer that is not a success says; a redirect (status 0) leads to the login. */
export function refusedBy(status: number, body: unknown): Refused {
  const error = (body as { error?: Record<string, unknown> } | null)?.error;
  const word = (value: unknown) => (typeof value === "string" ? value : "");
  if (word(error?.message) !== "") {
    return new Refused(status, word(error?.code), word(error?.message), word(error?.hint));
  }
  if (status === 0 || status === 401) {
    return new Refused(status, "UNAUTHENTICATED", "You are logged out.", "Reload the page.");
  }
  return new Refused(
    status,
    "INTERNAL",
    `The server answered ${status}.`,
    "Try again in a moment.",
  );
}

/** A refusal as one sentence, with what mends it. */
export function told(error: unknown): Error {
  return error instanceof Refused && error.hint !== ""
    ? new Error(`${error.message} ${error.hint}`)
    : error instanceof Error
      ? error
      : new Error(String(error));
}
