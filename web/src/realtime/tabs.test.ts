import { describe, expect, test, vi } from "vitest";
import { Leadership, alone } from "./tabs";
import { FakeLocks } from "./testing/locks";

/** Tabs that may lead, and which of them do. */
function tabs() {
  const locks = new FakeLocks();
  const leading = new Set<string>();
  const open = (name: string) => {
    const tab = locks.open();
    const leadership = new Leadership(tab.locks, "outbox", (leads) =>
      leads ? leading.add(name) : leading.delete(name),
    );
    return {
      want: (wanted: boolean) => leadership.want(wanted),
      insist: () => leadership.insist(),
      die: () => {
        leading.delete(name);
        tab.die();
      },
    };
  };
  return {
    open,
    leaders: () => vi.waitFor(() => expect([...leading]).toHaveLength(1)).then(() => [...leading][0]),
    leading,
  };
}

describe("of several tabs", () => {
  test("one leads, and the next when it goes offline", async () => {
    const { open, leaders } = tabs();
    const [a, b] = [open("a"), open("b")];
    a.want(true);
    b.want(true);
    expect(await leaders()).toBe("a");
    a.want(false);
    expect(await leaders()).toBe("b");
    a.want(true);
    b.want(false);
    expect(await leaders()).toBe("a");
  });

  test("another leads when the one that did is closed", async () => {
    const { open, leaders } = tabs();
    const [a, b] = [open("a"), open("b")];
    a.want(true);
    await leaders();
    b.want(true);
    a.die();
    expect(await leaders()).toBe("b");
  });

  test("one that sleeps is robbed, and waits for its turn when it wakes", async () => {
    const { open, leaders } = tabs();
    const [a, b] = [open("a"), open("b")];
    a.want(true);
    await leaders();
    b.want(true);
    b.insist();
    await vi.waitFor(async () => expect(await leaders()).toBe("b"));
    b.want(false);
    await vi.waitFor(async () => expect(await leaders()).toBe("a"));
  });

  test("one that gave up before its turn does not lead", async () => {
    const { open, leaders, leading } = tabs();
    const [a, b] = [open("a"), open("b")];
    a.want(true);
    b.want(true);
    await leaders();
    b.want(false);
    a.want(false);
    await Promise.resolve();
    expect(leading.size).toBe(0);
  });
});

test("without locks every tab leads", () => {
  const changed = vi.fn();
  const leadership = new Leadership(undefined, "outbox", changed);
  leadership.want(true);
  expect(changed).toHaveBeenLastCalledWith(true);
  leadership.want(false);
  expect(changed).toHaveBeenLastCalledWith(false);
});

test("what runs alone runs without locks too", async () => {
  expect(await alone(undefined, "refresh", () => Promise.resolve(1))).toBe(1);
});
