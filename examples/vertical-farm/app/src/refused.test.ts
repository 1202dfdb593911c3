import { describe, expect, it } from "vitest";
import { parseSearch, searchOf, stringifySearch } from "./frame/address.ts";
import { refusedBy, told } from "./refused.ts";

describe("refusedBy", () => {
  it("says what the backend said, and how to mend it", () => {
    const error = { code: "ALREADY_EXISTS", message: "There is one.", hint: "Look at it." };
    expect(refusedBy(409, { error })).toMatchObject({ status: 409, ...error });
    expect(told(refusedBy(409, { error })).message).toBe("There is one. Look at it.");
  });

  it.each([
    [0, null, "You are logged out."],
    [401, null, "You are logged out."],
    [502, "<html>", "The server answered 502."],
    [500, { error: { message: 7 } }, "The server answered 500."],
    [500, { error: null }, "The server answered 500."],
  ])("makes sense of %s with %j", (status, body, message) => {
    expect(refusedBy(status, body).message).toBe(message);
  });

  it("tells any other failure as it is", () => {
    expect(told(new Error("no")).message).toBe("no");
    expect(told("no").message).toBe("no");
  });
});

describe("the address", () => {
  it("keeps any text, and only the parameters that are known", () => {
    const search = { q: "<b> & ü", id: '["a/b",1]', box: "", other: "x" };
    const query = stringifySearch(search);
    expect(searchOf(parseSearch(query))).toEqual({ q: "<b> & ü", id: '["a/b",1]' });
    expect(stringifySearch({})).toBe("");
    expect(searchOf({ q: ["a"], id: 7 })).toEqual({});
  });
});
