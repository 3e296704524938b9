import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { oncePerFrame } from "./batch";

let draw: (() => void) | undefined;
beforeEach(() => {
  vi.useFakeTimers();
  draw = undefined;
  vi.stubGlobal("requestAnimationFrame", (run: () => void) => {
    draw = run;
    return 1;
  });
  vi.stubGlobal("cancelAnimationFrame", () => (draw = undefined));
});
afterEach(() => vi.useRealTimers());

test("what is asked for many times is done once, with the next frame", () => {
  const flush = vi.fn();
  const publish = oncePerFrame(flush);
  publish();
  publish();
  draw?.();
  vi.advanceTimersByTime(1_000);
  expect(flush).toHaveBeenCalledTimes(1);
  publish();
  draw?.();
  expect(flush).toHaveBeenCalledTimes(2);
});

test("a page that is hidden before its next frame publishes all the same, once", () => {
  const flush = vi.fn();
  const publish = oncePerFrame(flush);
  publish();
  vi.advanceTimersByTime(1_000);
  expect(flush).toHaveBeenCalledTimes(1);
  draw?.(); // it was called off
  expect(flush).toHaveBeenCalledTimes(1);
});
