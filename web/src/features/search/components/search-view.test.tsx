import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { MemoryRouter } from "react-router";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { wipeAccountItems } from "@/lib/account-storage";
import { ApiError, http } from "@/lib/http";
import { startI18n } from "@/lib/i18n";
import type { Hits, Profile, RoomState } from "@/realtime";
import type { Filters } from "../model/filters";
import { recentSearches } from "../model/recent-searches";
import { SearchView } from "./search-view";

const data = vi.hoisted(() => ({
  connection: { status: "online" },
  room: undefined as Partial<RoomState> | undefined,
}));

vi.mock("@/realtime", () => ({
  knowProfiles: () => undefined,
  useConnection: () => data.connection,
  useProfile: (id: string) => ({ id, username: id, display_name: "Bob", role: "member", disabled: false }),
  useRoom: () => data.room,
  useRooms: () => [],
  useSession: () => ({ user: { id: "ann", display_name: "Ann" }, sessionId: "s" }),
}));

const person = (id: string, display_name: string): Profile => ({
  id,
  username: id,
  display_name,
  role: "member",
  disabled: false,
});

const page = (text: string, cursor: string | null = null): Hits => ({
  hits: [
    {
      message: { id: text, room_id: "room", seq: 1, sender_id: "bob", client_id: "c", at: 0, text, version: 1 },
      score: 1,
      highlights: [[0, 6]],
    },
  ],
  cursor,
});

function Held({ roomId }: { roomId?: string }) {
  const [filters, setFilters] = useState<Filters>({ q: "" });
  return <SearchView filters={filters} onFilters={setFilters} {...(roomId === undefined ? {} : { roomId })} />;
}

function show(roomId?: string) {
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  render(
    <QueryClientProvider client={queries}>
      <MemoryRouter>
        <Held {...(roomId === undefined ? {} : { roomId })} />
      </MemoryRouter>
    </QueryClientProvider>,
  );
  return userEvent.setup();
}

beforeEach(async () => {
  await startI18n();
  wipeAccountItems();
  data.connection = { status: "online" };
  data.room = undefined;
});

describe("searching", () => {
  it("shows what is found, with what matched, and leads to the message", async () => {
    const get = vi.spyOn(http, "get").mockResolvedValue(page("report is out"));
    const user = show();
    await user.type(screen.getByRole("searchbox"), "report");
    const link = await screen.findByRole("link", { name: /report is out/ });
    expect(link.getAttribute("href")).toBe("/r/room/m/report is out");
    expect(link.querySelector("mark")?.textContent).toBe("report");
    expect(get).toHaveBeenCalledOnce();
  });

  it("names the other person of a direct room once", async () => {
    vi.spyOn(http, "get").mockResolvedValue(page("report"));
    data.room = { id: "room", kind: "direct", peer: person("bob", "Bob") };
    const user = show();
    await user.type(screen.getByRole("searchbox"), "report");
    await screen.findByText("Direct message");
    expect(screen.getAllByText("Bob")).toHaveLength(1);
  });

  it("says with whom one spoke where one wrote it oneself", async () => {
    vi.spyOn(http, "get").mockResolvedValue(page("report"));
    data.room = { id: "room", kind: "direct", peer: person("eve", "Eve") };
    const user = show();
    await user.type(screen.getByRole("searchbox"), "report");
    await screen.findByText("Eve");
    expect(screen.queryByText("Direct message")).toBeNull();
  });

  it("asks for one room alone in its panel", async () => {
    const get = vi.spyOn(http, "get").mockResolvedValue(page("report"));
    const user = show("design");
    await user.type(screen.getByRole("searchbox"), "report");
    await screen.findByRole("link", { name: /report/ });
    expect(get.mock.calls[0]?.[1]?.query).toMatchObject({ q: "report", room_id: "design" });
    expect(screen.queryByRole("combobox", { name: "Room" })).toBeNull();
  });

  it("goes on where a page is empty although there are others", async () => {
    const get = vi.spyOn(http, "get").mockResolvedValueOnce({ hits: [], cursor: "next" });
    get.mockResolvedValue(page("report, much older"));
    const user = show();
    await user.type(screen.getByRole("searchbox"), "report");
    await screen.findByRole("link", { name: /much older/ });
    expect(get.mock.calls[1]?.[1]?.query?.cursor).toBe("next");
  });

  it("says that nothing was found, and offers to drop the filters", async () => {
    vi.spyOn(http, "get").mockResolvedValue({ hits: [], cursor: null });
    const user = show();
    await user.selectOptions(screen.getByRole("combobox", { name: "What it has" }), "link");
    await user.type(screen.getByRole("searchbox"), "report");
    await screen.findByText(/Nothing found for/);
    await user.click(screen.getAllByRole("button", { name: "Clear filters" }).at(-1)!);
    expect(screen.getByRole<HTMLSelectElement>("combobox", { name: "What it has" }).value).toBe("");
  });

  it("tells an absent network from a failure", async () => {
    vi.spyOn(http, "get").mockRejectedValue(new ApiError("network", "unreachable"));
    data.connection = { status: "offline" };
    const user = show();
    await user.type(screen.getByRole("searchbox"), "report");
    await screen.findByText("You are offline");
  });

  it("remembers what was searched for, until it is cleared", async () => {
    vi.spyOn(http, "get").mockResolvedValue(page("report"));
    const user = show();
    await user.type(screen.getByRole("searchbox"), "report{Enter}");
    expect(recentSearches("ann")).toEqual(["report"]);
    await user.clear(screen.getByRole("searchbox"));
    await user.click(await screen.findByRole("button", { name: "report" }));
    await waitFor(() => expect(screen.getByRole<HTMLInputElement>("searchbox").value).toBe("report"));
    await user.clear(screen.getByRole("searchbox"));
    await user.click(await screen.findByRole("button", { name: "Clear" }));
    expect(recentSearches("ann")).toEqual([]);
  });
});
