import { expect, it } from "vitest";
import { changesOf, fieldsOf, neighbour, titleOf } from "./edit.ts";

const mail = {
  action: "send_email",
  args: { recipient: "a@b.example", subject: "RFQ", body: "Dear\nAcme", drafted_by: "template" },
};

it("lets a reader change subject and body of an e-mail, never whom it goes to", () => {
  const fields = fieldsOf(mail);
  expect(fields.map(({ name, isFixed }) => [name, isFixed])).toEqual([
    ["recipient", true],
    ["subject", false],
    ["body", false],
  ]);
  expect(changesOf(fields, { recipient: "x@evil.example", subject: "RFQ basil" })).toEqual({
    subject: "RFQ basil",
  });
});

it("sends nothing that was not changed", () => {
  expect(changesOf(fieldsOf(mail), { subject: "RFQ", body: "Dear\nAcme" })).toEqual({});
});

it("keeps numbers numbers, and says when they are none", () => {
  const fields = fieldsOf({ action: "order", args: { grams: 500, note: "soon" } });
  expect(changesOf(fields, { grams: "750", note: "now" })).toEqual({ grams: 750, note: "now" });
  expect(() => changesOf(fields, { grams: "many" })).toThrow("grams is no JSON");
});

it("goes down and up the list and stays at its ends", () => {
  const ids = ["a", "b", "c"];
  expect(neighbour(ids, "a", 1)).toBe("b");
  expect(neighbour(ids, "c", 1)).toBe("c");
  expect(neighbour(ids, "a", -1)).toBe("a");
  expect(neighbour(ids, "gone", 1)).toBe("a");
  expect(neighbour([], null, 1)).toBeNull();
});

it("reads an action as words", () => {
  expect(titleOf("send_email")).toBe("Send email");
  expect(titleOf("")).toBe("");
});
