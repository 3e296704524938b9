import { renderHook } from "@testing-library/react";
import { afterEach, expect, it, vi } from "vitest";
import { usePreview } from "./use-preview";

function answerWith(getUserMedia: () => Promise<MediaStream>): void {
  vi.stubGlobal("isSecureContext", true);
  vi.stubGlobal("navigator", {
    mediaDevices: {
      getUserMedia,
      enumerateDevices: () => Promise.resolve([]),
      addEventListener: () => undefined,
      removeEventListener: () => undefined,
    },
  });
}

afterEach(() => vi.unstubAllGlobals());

it("wants devices that have not opened yet, as nobody has switched them off", () => {
  answerWith(() => new Promise(() => undefined));
  const { result } = renderHook(() => usePreview());
  expect(result.current.on).toEqual({ microphone: false, camera: false });
  expect(result.current.wanted).toEqual({ microphone: true, camera: true });
});

it("does not want a device that was refused", async () => {
  answerWith(() => Promise.reject(new DOMException("no", "NotAllowedError")));
  const { result } = renderHook(() => usePreview());
  await vi.waitFor(() => expect(result.current.problems.microphone).toBe("refused"));
  expect(result.current.wanted.microphone).toBe(false);
});
