import { afterEach, beforeEach, expect, test, vi } from "vitest";

let oncePerFrame: (flush: () => void) => () => void;
let draw: (() => void) | undefined;
beforeEach(async () => {
  vi.resetModules(); // it knows when it updated last, by a clock that each test begins anew
  ({ oncePerFrame } = await import("./batch"));
  vi.useFakeTimers();
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

test("what follows an update at once waits for the next frame after 50 ms", () => {
  const flush = vi.fn();
  const publish = oncePerFrame(flush);
  publish();
  draw?.();
  const past = draw;
  draw = undefined;
  publish();
  expect(draw).toBeUndefined();
  vi.advanceTimersByTime(33);
  expect(draw).toBeUndefined();
  vi.advanceTimersByTime(1); // and a frame
  expect(draw).toBeDefined();
  draw?.();
  vi.advanceTimersByTime(1_000);
  expect(flush).toHaveBeenCalledTimes(2);
});

test("all that waits is done with one frame", () => {
  const [one, other] = [vi.fn(), vi.fn()];
  const [publishOne, publishOther] = [oncePerFrame(one), oncePerFrame(other)];
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
  const publish = oncePerFrame(flush);
  publish();
  vi.advanceTimersByTime(1_000);
  expect(flush).toHaveBeenCalledTimes(1);
  draw?.(); // it was called off
  expect(flush).toHaveBeenCalledTimes(1);
});
