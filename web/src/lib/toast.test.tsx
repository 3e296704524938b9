import { act, renderHook } from "@testing-library/react";
import { beforeEach, expect, it, vi } from "vitest";
import { dismissToast, toast, useToasts } from "./toast";

beforeEach(() => {
  vi.useFakeTimers();
});

const titles = (result: { current: ReturnType<typeof useToasts> }) => result.current.map((one) => one.title);

it("shows the last three, and one of the same id once", () => {
  const { result } = renderHook(() => useToasts());
  act(() => {
    for (const title of ["a", "b", "c", "d"]) toast(title, { id: title });
    toast("b again", { id: "b" });
  });
  expect(titles(result)).toEqual(["c", "d", "b again"]);
});

it("closes, then forgets; tells the person's closing, not ours", () => {
  const { result } = renderHook(() => useToasts());
  const onDismiss = vi.fn();
  act(() => {
    toast("one", { id: "one", onDismiss });
    dismissToast("one", { silent: true });
  });
  expect(onDismiss).not.toHaveBeenCalled();
  expect(result.current.find(({ id }) => id === "one")?.open).toBe(false);
  act(() => void vi.runAllTimers());
  expect(titles(result)).not.toContain("one");
  act(() => {
    toast("two", { id: "two", onDismiss });
    dismissToast("two");
    dismissToast("two");
  });
  expect(onDismiss).toHaveBeenCalledOnce();
});
