// @vitest-environment happy-dom
import { act, renderHook } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { useDraft } from "./use-draft";

const told = vi.hoisted(() => [] as string[]);
vi.mock("@/realtime", () => ({
  useRoomDraft: () => "",
  saveDraft: (roomId: string, text: string) => told.push(`${roomId}: ${text}`),
  keepDrafts: () => told.push("kept"),
}));

beforeEach(() => {
  vi.useFakeTimers();
  told.length = 0;
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

test.each([
  ["pagehide", () => window.dispatchEvent(new Event("pagehide"))],
  ["freeze", () => document.dispatchEvent(new Event("freeze"))],
  ["visibilitychange", () => document.dispatchEvent(new Event("visibilitychange", { bubbles: true }))],
])(
  "what is not saved yet is saved on %s before the document's own listeners write down what there is",
  (name, leave) => {
    vi.spyOn(document, "hidden", "get").mockReturnValue(true);
    const own = () => told.push("own");
    document.addEventListener(name, own, true);
    const { result } = renderHook(() => useDraft("room"));
    act(() => result.current[1]("hi"));
    expect(told).toEqual([]);
    leave();
    document.removeEventListener(name, own, true);
    expect(told.slice(0, 2)).toEqual(["room: hi", "kept"]);
  },
);

test("a page that comes to be seen again leaves nothing", () => {
  const { result } = renderHook(() => useDraft("room"));
  act(() => result.current[1]("hi"));
  document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
  expect(told).toEqual([]);
});
