import { expect, it } from "vitest";
import { explain } from "./api.ts";

it("tells a refusal in the server's words, whichever form they have", () => {
  expect(explain(403, { error_code: "PERMISSION_DENIED", message: "not yours" })).toBe("not yours");
  expect(explain(429, { error: { message: "too many", code: "limited" } })).toBe("too many");
});

it("says what happened when the server says nothing", () => {
  expect(explain(502, null)).toBe("the server answered 502");
  expect(explain(500, { message: "" })).toBe("the server answered 500");
  expect(explain(401, { message: "the token has ended" })).toContain("log in again");
});
