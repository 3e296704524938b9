import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { MemoryRouter, useLocation } from "react-router";
import { beforeEach, expect, it, vi } from "vitest";
import { http } from "@/lib/http";
import { startI18n } from "@/lib/i18n";
import type { RoomState } from "@/realtime";
import { closeSwitcher, openSwitcher } from "../model/switcher";
import { aPerson, aRoom } from "../testing/rooms";
import { QuickSwitcher } from "./quick-switcher";

const data = vi.hoisted(() => ({ rooms: [] as RoomState[] }));

vi.mock("@/realtime", () => ({
  useRooms: () => data.rooms,
  useSession: () => ({ user: { ...aPerson("Ann"), email: "", created_at: 0, updated_at: 0 }, sessionId: "s" }),
  usePresence: () => "offline",
}));

function Address() {
  return <output>{useLocation().pathname}</output>;
}

beforeEach(async () => {
  await startI18n();
  Element.prototype.scrollIntoView = () => undefined;
  data.rooms = [
    aRoom({ id: "long", kind: "direct", name: "", peer: aPerson("Hector Ivor Rask"), unread: 1, lastAt: 9 }),
    aRoom({ id: "hiring", name: "hiring" }),
  ];
  vi.spyOn(http, "get").mockResolvedValue({ users: [aPerson("Hilde")], cursor: null });
  render(
    <QueryClientProvider client={new QueryClient()}>
      <MemoryRouter>
        <QuickSwitcher />
        <Address />
      </MemoryRouter>
    </QueryClientProvider>,
  );
  openSwitcher();
  return closeSwitcher;
});

const address = () => document.querySelector("output")?.textContent;

it("goes to the best match on Enter, not to what was chosen before one typed", async () => {
  const user = userEvent.setup();
  await user.type(await screen.findByRole("combobox"), "hir{Enter}");
  await waitFor(() => expect(address()).toBe("/r/hiring"));
});

it("finds people whom one has not written to, and starts with them", async () => {
  const user = userEvent.setup();
  const post = vi.spyOn(http, "post").mockResolvedValue({ id: "made" });
  await user.type(await screen.findByRole("combobox"), "hild");
  await user.click(await screen.findByRole("option", { name: /Hilde/ }));
  await waitFor(() => expect(address()).toBe("/r/made"));
  expect(post).toHaveBeenCalledWith("/api/rooms", { kind: "direct", members: ["hilde"] });
});

it("offers to search messages for what is typed", async () => {
  const user = userEvent.setup();
  await user.type(await screen.findByRole("combobox"), "hild");
  await user.click(await screen.findByRole("option", { name: /Search messages/ }));
  await waitFor(() => expect(address()).toBe("/search"));
});
