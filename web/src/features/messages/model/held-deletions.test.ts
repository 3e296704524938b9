// @vitest-environment happy-dom
import { beforeEach, expect, it, vi } from "vitest";
import { holdDeletion, sendHeldDeletions, UNDO_MS, undoDeletion } from "./held-deletions";

const deleteMessage = vi.hoisted(() => vi.fn(() => Promise.resolve()));
vi.mock("@/realtime", () => ({ deleteMessage }));

beforeEach(() => {
  vi.useFakeTimers();
  deleteMessage.mockClear();
  return () => vi.useRealTimers();
});

it("sends a deletion once its time is over, and only once", () => {
  holdDeletion("room", "a");
  vi.advanceTimersByTime(UNDO_MS - 1);
  expect(deleteMessage).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  sendHeldDeletions();
  expect(deleteMessage.mock.calls).toEqual([["room", "a"]]);
});

it("sends nothing that is taken back", () => {
  holdDeletion("room", "a");
  undoDeletion("a");
  vi.advanceTimersByTime(UNDO_MS);
  expect(deleteMessage).not.toHaveBeenCalled();
});

it("sends what is held when the page is left", () => {
  holdDeletion("room", "a");
  holdDeletion("room", "b");
  window.dispatchEvent(new Event("pagehide"));
  expect(deleteMessage).toHaveBeenCalledTimes(2);
});
