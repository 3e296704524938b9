import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { fireEvent, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { MemoryRouter, useLocation } from "react-router";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { followShortcuts } from "@/lib/shortcuts";
import { startI18n } from "@/lib/i18n";
import type { RoomState } from "@/realtime";
import { useSidebarState } from "../model/sidebar-state";
import { aPerson, aRoom } from "../testing/rooms";
import { Sidebar } from "./sidebar";

const data = vi.hoisted(() => ({
  rooms: [] as RoomState[],
  status: "ready",
  markRead: vi.fn(),
  reconnect: vi.fn(),
}));

vi.mock("@/realtime", () => ({
  roomOf: (id: string) => data.rooms.find((room) => room.id === id),
  useListedRooms: () => data.rooms,
  useRoom: (id: string) => data.rooms.find((room) => room.id === id),
  useRoomsStatus: () => data.status,
  useSession: () => ({ user: { ...aPerson("Ann"), email: "", created_at: 0, updated_at: 0 }, sessionId: "s" }),
  usePresence: () => "online",
  markRead: data.markRead,
  reconnect: data.reconnect,
}));

function Address() {
  return <output>{useLocation().pathname}</output>;
}

function show(path = "/") {
  render(
    <QueryClientProvider client={new QueryClient()}>
      <MemoryRouter initialEntries={[path]}>
        <Sidebar />
        <Address />
      </MemoryRouter>
    </QueryClientProvider>,
  );
}

const names = () => screen.getAllByRole("link").flatMap((link) => link.getAttribute("data-room") ?? []);

beforeEach(async () => {
  await startI18n();
  data.status = "ready";
  data.rooms = [
    aRoom({ id: "general", name: "general" }),
    aRoom({ id: "design", name: "design", unread: 5, mentions: 2 }),
    aRoom({ id: "bob", kind: "direct", name: "", peer: aPerson("Bob"), unread: 1, lastAt: 5 }),
  ];
  useSidebarState.setState({ collapsed: { channels: false, directs: false } });
  vi.clearAllMocks();
});

describe("the sidebar", () => {
  it("lists channels by name and direct rooms by person, and tells what is unread", () => {
    show();
    expect(names()).toEqual(["design", "general", "bob"]);
    expect(screen.getByRole("link", { name: /design.*unread.*2 mentions/ })).toBeDefined();
    expect(screen.getByRole("link", { name: /Bob.*1 new message/ })).toBeDefined();
  });

  it("has one stop for Tab, and arrow keys move within", async () => {
    show("/r/general");
    const tabbable = () => screen.getAllByRole("link").filter((link) => link.tabIndex === 0 && link.dataset.room);
    expect(tabbable().map((link) => link.dataset.room)).toEqual(["general"]);
    tabbable()[0]!.focus();
    fireEvent.keyDown(document.activeElement!, { key: "ArrowDown" });
    await waitFor(() => expect((document.activeElement as HTMLElement).dataset.room).toBe("bob"));
    expect(tabbable().map((link) => link.dataset.room)).toEqual(["bob"]);
    fireEvent.keyDown(document.activeElement!, { key: "Home" });
    await waitFor(() => expect((document.activeElement as HTMLElement).dataset.room).toBe("design"));
  });

  it("keeps the unread rooms of a folded section", async () => {
    show();
    await userEvent.click(screen.getByRole("button", { name: /Channels/ }));
    expect(names()).toEqual(["design", "bob"]);
  });

  it("moves between rooms, and between those that are unread, by keyboard", () => {
    const stop = followShortcuts();
    show("/r/general");
    fireEvent.keyDown(window, { key: "ArrowUp", altKey: true });
    expect(screen.getByRole("status").textContent).toBe("/r/design");
    fireEvent.keyDown(window, { key: "ArrowDown", altKey: true, shiftKey: true });
    expect(screen.getByRole("status").textContent).toBe("/r/bob");
    stop();
  });

  it("marks all as read", () => {
    const stop = followShortcuts();
    data.rooms = data.rooms.map((room) => ({ ...room, head: 9 }));
    show();
    fireEvent.keyDown(window, { key: "Escape", shiftKey: true });
    expect(data.markRead.mock.calls).toEqual([
      ["design", 9],
      ["bob", 9],
    ]);
    stop();
  });

  it("shows the first steps to whoever is in no room", () => {
    data.rooms = [];
    show();
    expect(screen.getByRole("button", { name: "Create a room" })).toBeDefined();
  });

  it("says when there is nothing to show for want of the server", async () => {
    data.rooms = [];
    data.status = "error";
    show();
    await userEvent.click(screen.getByRole("button", { name: "Try again" }));
    expect(data.reconnect).toHaveBeenCalledOnce();
  });
});
