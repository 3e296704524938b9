import { act, renderHook } from "@testing-library/react";
import { expect, it, vi } from "vitest";
import { dismissUpdate, holdUpdates, offerUpdate, useUpdate } from "./app-update";

it("offers a new version once nothing holds it, until it is dismissed", () => {
  const apply = vi.fn();
  const { result } = renderHook(() => useUpdate());
  expect(result.current).toBeUndefined();

  const endCall = holdUpdates("call");
  const sendDraft = holdUpdates("draft");
  act(() => offerUpdate(apply));
  expect(result.current).toBeUndefined();
  act(endCall);
  expect(result.current).toBeUndefined();
  act(sendDraft);
  expect(result.current).toBe(apply);

  let release = (): void => undefined;
  act(() => {
    release = holdUpdates("call");
  });
  expect(result.current).toBeUndefined();
  act(release);
  act(dismissUpdate);
  expect(result.current).toBeUndefined();

  act(() => offerUpdate(apply));
  expect(result.current).toBe(apply);
});
