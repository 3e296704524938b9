import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, type RenderResult } from "@testing-library/react";
import type { ReactNode } from "react";
import { vi } from "vitest";
import { createRoomUi, OpenRoomContext, type OpenRoom } from "../model/room-ui";

export interface InRoom extends RenderResult {
  room: OpenRoom;
}

/** Render something that stands in an open room. */
export function renderInRoom(content: ReactNode): InRoom {
  const room: OpenRoom = { roomId: "room", ui: createRoomUi(undefined), jumpTo: vi.fn(), focusComposer: vi.fn() };
  const result = render(content, {
    wrapper: ({ children }) => (
      <QueryClientProvider client={new QueryClient()}>
        <OpenRoomContext value={room}>{children}</OpenRoomContext>
      </QueryClientProvider>
    ),
  });
  return { ...result, room };
}
