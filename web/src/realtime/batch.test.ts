import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Updates } from "./batch";

let updates: Updates;
let draw: (() => void) | undefined;
beforeEach(() => {
  vi.useFakeTimers();
  updates = new Updates();
  draw = undefined;
  vi.stubGlobal("requestAnimationFrame", (run: () => void) => {
    draw = run;
    return 1;
  });
  vi.stubGlobal("cancelAnimationFrame", () => (draw = undefined));
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("what is asked for many times is done once, with the next frame", () => {
  const flush = vi.fn();
  const publish = updates.coalesced(flush);
  publish();
  publish();
  draw?.();
  vi.advanceTimersByTime(1_000);
  expect(flush).toHaveBeenCalledTimes(1);
  publish();
  draw?.();
  expect(flush).toHaveBeenCalledTimes(2);
});

test("what follows an update at once waits for the next frame after 50 ms", () => {
  const flush = vi.fn();
  const publish = updates.coalesced(flush);
  publish();
  draw?.();
  const requested = vi.fn();
  vi.stubGlobal("requestAnimationFrame", requested);
  publish();
  vi.advanceTimersByTime(33);
  expect(requested).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1); // and a frame
  expect(requested).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(1_000);
  expect(flush).toHaveBeenCalledTimes(2);
});

test("all that waits is done with one frame", () => {
  const [one, other] = [vi.fn(), vi.fn()];
  const [publishOne, publishOther] = [updates.coalesced(one), updates.coalesced(other)];
  publishOne();
  const first = draw;
  publishOther();
  expect(draw).toBe(first);
  draw?.();
  expect(one).toHaveBeenCalledTimes(1);
  expect(other).toHaveBeenCalledTimes(1);
});

test("a page that is hidden before its next frame publishes all the same, once", () => {
  const flush = vi.fn();
  const publish = updates.coalesced(flush);
  publish();
  vi.advanceTimersByTime(1_000);
  expect(flush).toHaveBeenCalledTimes(1);
  draw?.(); // it was called off
  expect(flush).toHaveBeenCalledTimes(1);
});
