// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Activity } from "./activity";
import type { LinkInput } from "./connection";
import type { Link } from "./socket";

/** A page that can be hidden, and a link that hears of it. */
function world() {
  const inputs: LinkInput[] = [];
  const told: unknown[] = [];
  const request = vi.fn((_name: string, payload: unknown) => {
    told.push(payload);
    return Promise.resolve({ ok: true });
  });
  const link = { online: true, input: (input: LinkInput) => inputs.push(input), request } as unknown as Link;
  const [leaving, wake, tick] = [vi.fn(), vi.fn(), vi.fn()];
  const activity = new Activity({ link, leaving, wake, tick });
  activity.start();
  activity.tell();
  const hide = (hidden: boolean) => {
    vi.spyOn(document, "hidden", "get").mockReturnValue(hidden);
    document.dispatchEvent(new Event("visibilitychange"));
  };
  return { activity, inputs, told, request, leaving, wake, tick, hide };
}

let it: ReturnType<typeof world>;
beforeEach(() => {
  vi.useFakeTimers();
  it = world();
});
afterEach(() => {
  it.activity.stop();
  vi.useRealTimers();
});

describe("the device's network", () => {
  test("is told to the link as it comes and goes", () => {
    dispatchEvent(new Event("offline"));
    dispatchEvent(new Event("online"));
    expect(it.inputs).toEqual([
      { type: "network", up: false },
      { type: "network", up: true },
    ]);
  });

  test("is not told any more after the end", () => {
    it.activity.stop();
    dispatchEvent(new Event("offline"));
    expect(it.inputs).toEqual([]);
  });
});

describe("the person in front of the page", () => {
  test("is idle after five minutes without a sign of life, and active with the next", async () => {
    await vi.advanceTimersByTimeAsync(4 * 60_000);
    expect(it.told).toEqual([]);
    await vi.advanceTimersByTimeAsync(70_000);
    expect(it.told).toEqual([{ state: "idle" }]);
    dispatchEvent(new Event("keydown"));
    expect(it.told).toEqual([{ state: "idle" }, { state: "active" }]);
  });

  test("is idle while the page is hidden", () => {
    it.hide(true);
    expect(it.told).toEqual([{ state: "idle" }]);
    expect(it.leaving).toHaveBeenCalledTimes(1);
    it.hide(false);
    expect(it.wake).toHaveBeenCalledTimes(1);
  });

  test("is told anew where the server did not hear it", async () => {
    it.request.mockRejectedValueOnce(new Error("cut off"));
    it.hide(true);
    await vi.advanceTimersByTimeAsync(6_000);
    expect(it.request).toHaveBeenCalledTimes(2);
  });
});

test("a page that goes away is told of in time", () => {
  dispatchEvent(new Event("pagehide"));
  document.dispatchEvent(new Event("freeze"));
  expect(it.leaving).toHaveBeenCalledTimes(2);
});

test("a device that slept wakes the connection", async () => {
  vi.setSystemTime(Date.now() + 3_600_000);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(it.wake).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(it.wake).toHaveBeenCalledTimes(1);
  expect(it.tick).toHaveBeenCalledTimes(3);
});
