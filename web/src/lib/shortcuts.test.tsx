import { render, renderHook } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { followShortcuts, keyCaps, matches, useShortcut, useShortcuts } from "./shortcuts";

const key = (init: KeyboardEventInit) => new KeyboardEvent("keydown", init);

describe("matches", () => {
  it.each([
    [{ key: "k", ctrlKey: true }, "mod+k", true],
    [{ key: "K", ctrlKey: true, shiftKey: true }, "mod+shift+k", true],
    [{ key: "k", ctrlKey: true, shiftKey: true }, "mod+k", false],
    [{ key: "k", metaKey: true }, "mod+k", false],
    [{ key: "k" }, "mod+k", false],
    [{ key: "?", shiftKey: true }, "?", true],
    [{ key: "?" }, "?", true],
    [{ key: "+", shiftKey: true }, "+", true],
    [{ key: "ArrowUp", altKey: true }, "alt+ArrowUp", true],
    [{ key: "ArrowUp", altKey: true, shiftKey: true }, "alt+ArrowUp", false],
    [{ key: "Escape" }, "Escape", true],
  ])("%j is %s: %s", (init, keys, expected) => {
    expect(matches(key(init), keys)).toBe(expected);
  });
});

describe("useShortcut", () => {
  let stop: () => void;
  beforeEach(() => {
    stop = followShortcuts();
  });
  afterEach(() => stop());

  it("runs what is registered, while it is", async () => {
    const run = vi.fn();
    const { unmount } = renderHook(() => useShortcut({ label: "Reply", group: "messages", keys: "r" }, run));
    await userEvent.keyboard("r");
    unmount();
    await userEvent.keyboard("r");
    expect(run).toHaveBeenCalledOnce();
  });

  it("leaves single keys to whoever types, but not those with a modifier", async () => {
    const plain = vi.fn();
    const modified = vi.fn();
    renderHook(() => {
      useShortcut({ label: "Reply", group: "messages", keys: "r" }, plain);
      useShortcut({ label: "Switch", group: "navigation", keys: "mod+k" }, modified);
    });
    const { getByRole } = render(<input aria-label="text" />);
    await userEvent.type(getByRole("textbox"), "r{Control>}k{/Control}");
    expect(plain).not.toHaveBeenCalled();
    expect(modified).toHaveBeenCalledOnce();
  });

  it("asks the latest first, and goes on where it declines", async () => {
    const calls: string[] = [];
    renderHook(() => {
      useShortcut({ label: "Old", group: "general", keys: "x" }, () => void calls.push("old"));
      useShortcut({ label: "New", group: "general", keys: "x" }, () => {
        calls.push("new");
        return false;
      });
    });
    await userEvent.keyboard("x");
    expect(calls).toEqual(["new", "old"]);
  });

  it("lists what is registered once, also what others handle", () => {
    const shortcut = { label: "Send", group: "composer", keys: "Enter", listedOnly: true } as const;
    const { result } = renderHook(() => {
      useShortcut(shortcut, () => undefined);
      useShortcut(shortcut, () => undefined);
      return useShortcuts();
    });
    expect(result.current.map(({ label }) => label)).toEqual(["Send"]);
  });
});

it("prints keys as the keyboard has them", () => {
  expect(keyCaps("mod+shift+k")).toEqual(["Ctrl", "Shift", "K"]);
});
