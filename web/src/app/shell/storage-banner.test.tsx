import { render, screen } from "@testing-library/react";
import { beforeAll, expect, it, vi } from "vitest";
import { startI18n } from "@/lib/i18n";
import { StorageBanner } from "./storage-banner";

const realtime = vi.hoisted(() => ({ count: 0 }));
vi.mock("@/realtime", () => ({ useOutboxCount: () => realtime.count }));

beforeAll(startI18n);

function close(): boolean {
  return window.dispatchEvent(new Event("beforeunload", { cancelable: true }));
}

it("says what is lost, and asks before the page is closed while something is not sent", () => {
  const { rerender, unmount } = render(<StorageBanner />);
  expect(screen.getByRole("status").textContent).toMatch(/keeps nothing.*lost when you close/);
  expect(close()).toBe(true);
  realtime.count = 1;
  rerender(<StorageBanner />);
  expect(close()).toBe(false);
  unmount();
  expect(close()).toBe(true);
});
