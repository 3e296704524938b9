import { act, render, screen } from "@testing-library/react";
import { afterEach, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { startI18n } from "@/lib/i18n";
import type { Connection } from "@/realtime";
import { ConnectionBanner } from "./connection-banner";

const realtime = vi.hoisted((): { connection: Connection; reconnect: () => void } => ({
  connection: { status: "online" },
  reconnect: vi.fn(),
}));
vi.mock("@/realtime", () => ({ useConnection: () => realtime.connection, reconnect: realtime.reconnect }));

beforeAll(startI18n);

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

function show(connection: Connection): { after: (milliseconds: number) => void } {
  realtime.connection = connection;
  render(<ConnectionBanner />);
  return { after: (milliseconds) => act(() => void vi.advanceTimersByTime(milliseconds)) };
}

it.each(["online", "connecting", "signed-out"] as const)("says nothing while %s", (status) => {
  show({ status }).after(5_000);
  expect(screen.getByRole("status").textContent).toBe("");
});

it("lets a hiccup pass", () => {
  show({ status: "reconnecting" }).after(1_000);
  expect(screen.getByRole("status").textContent).toBe("");
});

it("counts down to the next attempt, silently, and tries at once when asked to", () => {
  const { after } = show({ status: "reconnecting", retryAt: Date.now() + 10_000 });
  after(1_500);
  expect(screen.getByText("Connection lost. Trying again in 9 seconds.").getAttribute("aria-hidden")).toBe("true");
  after(1_000);
  expect(screen.getByText("Connection lost. Trying again in 8 seconds.")).toBeTruthy();
  expect(screen.getByRole("status").textContent).toBe("Connection lost. Reconnecting…");
  act(() => screen.getByRole("button", { name: "Try now" }).click());
  expect(realtime.reconnect).toHaveBeenCalledOnce();
});

it.each([
  ["offline", /sent as soon as you are back/],
  ["draining", /server is restarting/],
  ["displaced", /too many other places/],
] as const)("explains %s", (status, text) => {
  show({ status }).after(1_500);
  expect(screen.getByRole("status").textContent).toMatch(text);
});
