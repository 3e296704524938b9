import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { atRest } from "./at-rest";

let busy: () => void;
const observed: string[] = [];

beforeEach(() => {
  vi.useFakeTimers();
  observed.length = 0;
  class Observer {
    static readonly supportedEntryTypes = ["resource"];
    constructor(told: () => void) {
      busy = told;
    }
    observe({ type }: { type: string }) {
      observed.push(type);
    }
    disconnect() {
      observed.length = 0;
    }
  }
  vi.stubGlobal("PerformanceObserver", Observer);
});

afterEach(() => {
  vi.useRealTimers();
});

async function rested(): Promise<() => boolean> {
  let resolved = false;
  void atRest().then(() => (resolved = true));
  await Promise.resolve();
  return () => resolved;
}

test("a page is at rest after a second without fetches, and is not watched any more", async () => {
  const now = await rested();
  expect(observed).toEqual(["resource"]);
  await vi.advanceTimersByTimeAsync(900);
  busy();
  await vi.advanceTimersByTimeAsync(900);
  expect(now()).toBe(false);
  await vi.advanceTimersByTimeAsync(100);
  expect(now()).toBe(true);
  expect(observed).toEqual([]);
});

test("one that never rests is not waited for", async () => {
  const now = await rested();
  for (let ms = 0; ms < 14_900; ms += 100) {
    busy();
    await vi.advanceTimersByTimeAsync(100);
  }
  expect(now()).toBe(false);
  await vi.advanceTimersByTimeAsync(200);
  expect(now()).toBe(true);
});
