import { act, render, screen } from "@testing-library/react";
import type { ReactNode } from "react";
import { MemoryRouter, Route, Routes } from "react-router";
import { beforeAll, expect, it, vi } from "vitest";
import { createStore, useStore } from "zustand";
import { startI18n } from "@/lib/i18n";
import type { RoomIdentity, RoomState } from "@/realtime";
import { RoomRoute } from "./room";

const IDENTITY: RoomIdentity = {
  id: "garden",
  name: "garden",
  kind: "public",
  topic: "",
  role: "member",
  level: "all",
};
const store = createStore<{ identity: RoomIdentity; head: number }>(() => ({ identity: IDENTITY, head: 1 }));
const drawn: string[] = [];

vi.mock("@/realtime", () => ({
  useRoomsStatus: () => "ready",
  useSession: () => null,
  useRoomIdentity: () => useStore(store, ({ identity }) => identity),
  useRoom: () => ({ ...useStore(store).identity, head: useStore(store).head }),
}));
vi.mock("@/features/calls", () => ({ CallButtons: () => drawn.push("call buttons") && null }));
vi.mock("@/features/search", () => ({ useSearchPanel: () => void drawn.push("search") }));
vi.mock("@/features/rooms", () => ({
  RoomHeader: ({ room, actions }: { room: RoomIdentity; actions: ReactNode }) => {
    drawn.push("header");
    return (
      <h1>
        {room.name} {actions}
      </h1>
    );
  },
  useRoomPanel: () => void drawn.push("panel"),
}));
vi.mock("@/features/messages", () => ({
  RoomView: ({ room }: { room: RoomState }) => {
    drawn.push("conversation");
    return <p>{`up to ${room.head}`}</p>;
  },
}));

beforeAll(startI18n);

it("draws the conversation with what happens in a room, and header and panel only when the room changes", () => {
  render(
    <MemoryRouter initialEntries={["/r/garden"]}>
      <Routes>
        <Route path="/r/:roomId" element={<RoomRoute />} />
      </Routes>
    </MemoryRouter>,
  );
  drawn.length = 0;
  for (const head of [2, 3, 4]) act(() => store.setState({ head }));
  expect(screen.getByText("up to 4")).toBeDefined();
  expect(drawn).toEqual(["conversation", "conversation", "conversation"]);
  act(() => store.setState({ identity: { ...IDENTITY, name: "orchard" } }));
  expect(screen.getByText("orchard")).toBeDefined();
  expect(drawn).toContain("header");
});
