import { expect, it } from "vitest";
import { joined, keptFor, unsentOf, withKept, type WrittenInRoom } from "./written";

function written(text: string, more: Partial<WrittenInRoom> = {}): WrittenInRoom {
  return { text, start: text.length, end: text.length, base: "", sent: [], sentBase: "", ...more };
}

it.each([
  ["nothing on either side", "", written(""), ["", 0]],
  ["a text where there was no draft", "", written("hello"), ["hello", 5]],
  ["a caret in the middle", "", written("hello", { start: 2, end: 2 }), ["hello", 2]],
  ["a draft that was shown and not touched", "plan", written("plan", { base: "plan" }), ["plan", 4]],
  ["a draft that was written on", "plan", written("plan b", { base: "plan" }), ["plan b", 6]],
  ["a draft that was emptied", "plan", written("", { base: "plan" }), ["", 0]],
  ["a draft that came too late to be shown", "plan", written("x"), ["plan\nx", 6]],
  ["a draft of another device in place of the one that was shown", "new", written("old", { base: "old" }), ["new", 3]],
  ["a draft of another device and what was added", "new", written("old and", { base: "old" }), ["new\n and", 8]],
  ["a draft that is the same by now", "both", written("both"), ["both", 4]],
  ["a draft that was sent", "plan", written("", { sent: ["plan b"], sentBase: "plan" }), ["", 0]],
  ["a draft beside what was sent", "plan", written("x", { sent: ["hi"] }), ["plan\nx", 6]],
] as const)("joins %s", (_, kept, early, [text, caret]) => {
  expect(joined(kept, early)).toEqual({ text, start: caret, end: caret });
});

it("keeps a selection after what stands before it", () => {
  expect(joined("plan", written("hello", { start: 1, end: 3 }))).toEqual({ text: "plan\nhello", start: 6, end: 8 });
});

it("keeps what was sent with what was not, in order, and knows the draft that it began with", () => {
  expect(unsentOf(written("three", { sent: ["one", "two"], sentBase: "on" }))).toEqual({
    text: "one\ntwo\nthree",
    base: "on",
  });
  expect(unsentOf(written("", { sent: ["one"] }))).toEqual({ text: "one", base: "" });
  expect(unsentOf(written("plan b", { base: "plan" }))).toEqual({ text: "plan b", base: "plan" });
});

it("keeps what is unsent by room, of the last rooms only, and takes no other things for it", () => {
  const one = withKept({ roomId: "a" }, "a", { text: "one", base: "" });
  const two = withKept([...one, 7, null, { roomId: "c", text: 1 }], "b", { text: "two", base: "t" });
  expect(keptFor(two, "a")).toMatchObject({ text: "one", base: "" });
  expect(keptFor(withKept(two, "a"), "a")).toBeUndefined();
  expect(keptFor(withKept(two, "a"), "b")).toMatchObject({ text: "two", base: "t" });
  expect(keptFor(two, "c")).toBeUndefined();
  let many: unknown = two;
  for (let at = 0; at < 16; at++) many = withKept(many, `r${at}`, { text: "x", base: "" });
  expect([keptFor(many, "b"), keptFor(many, "r0")?.text, keptFor(many, "r15")?.text]).toEqual([undefined, "x", "x"]);
});
