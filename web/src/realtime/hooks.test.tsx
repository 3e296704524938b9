import { act, render, screen } from "@testing-library/react";
import { memo } from "react";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  useListedRooms,
  useProfiles,
  useRoom,
  useRoomIdentity,
  useRoomIds,
  useRooms,
  useTimelineMessage,
} from "./hooks";
import { asSent } from "./outbox-view";
import type { Rooms } from "./rooms";
import type { Message, Profile, RoomEvent, RoomSummary } from "./schema.gen";
import { stores } from "./session";
import { clear } from "./stores";
import { roomsIn } from "./testing/rooms";
import type { Timeline } from "./types";

const drawn: Record<string, number> = {};

/** Counts how often something is drawn. */
function draw(what: string): void {
  drawn[what] = (drawn[what] ?? 0) + 1;
}

function summary(id: string): RoomSummary {
  const counts = { head: 1, read: 1, unread: 0, mentions: 0, created_at: 0, joined_at: 0, last_at: 0 };
  return { id, name: id, kind: "public", topic: "", role: "member", notify: "all", ...counts };
}

function message(room_id: string, seq: number): RoomEvent {
  const base = { room_id, seq, id: `${room_id} ${seq}`, sender_id: "ben", client_id: `c${seq}`, at: seq };
  return { ...base, type: "message.created", data: { text: `text ${seq}` } };
}

const Row = memo(function Row({ id }: { id: string }) {
  const room = useRoom(id);
  draw(`row ${id}`);
  return <li>{`${id}: ${room?.unread ?? 0}`}</li>;
});

function List() {
  const ids = useRoomIds();
  draw("list");
  return (
    <ul>
      {ids.map((id) => (
        <Row key={id} id={id} />
      ))}
    </ul>
  );
}

function Total() {
  const unread = useRooms().reduce((sum, room) => sum + room.unread, 0);
  return <p>{`total ${unread}`}</p>;
}

let rooms: Rooms;
beforeEach(() => {
  Object.keys(drawn).forEach((key) => (drawn[key] = 0));
  rooms = roomsIn(stores);
  rooms.ready([summary("a"), summary("b"), summary("c")], "epoch");
  rooms.flush();
});
afterEach(() => clear(stores));

describe("an event in one room", () => {
  test("draws the row of that room again, and nothing else", () => {
    render(<List />);
    const before = { ...drawn };
    act(() => {
      rooms.receive("b", [message("b", 2)]);
      rooms.flush();
    });
    expect(screen.getByText("b: 1")).toBeDefined();
    expect(drawn).toEqual({ ...before, "row b": (before["row b"] ?? 0) + 1 });
  });

  test("among many in one frame draws once", () => {
    render(<List />);
    const before = drawn["row b"] ?? 0;
    act(() => {
      for (let seq = 2; seq < 52; seq++) rooms.receive("b", [message("b", seq)]);
      rooms.flush();
    });
    expect(screen.getByText("b: 50")).toBeDefined();
    expect(drawn["row b"]).toBe(before + 1);
  });

  test("that is known already draws nothing", () => {
    render(<List />);
    act(() => {
      rooms.receive("b", [message("b", 2)]);
      rooms.flush();
    });
    const before = { ...drawn };
    act(() => {
      rooms.receive("b", [message("b", 2)]);
      rooms.flush();
    });
    expect(drawn).toEqual(before);
  });

  test("does not draw what the room is, which a change of it does", () => {
    function Header() {
      draw("header");
      return <h1>{useRoomIdentity("b")?.topic}</h1>;
    }
    render(<Header />);
    const before = drawn.header ?? 0;
    act(() => {
      rooms.receive("b", [message("b", 2)]);
      rooms.flush();
    });
    expect(drawn.header).toBe(before);
    act(() => {
      rooms.receive("b", [{ ...message("b", 3), type: "room.updated", data: { topic: "bees" } }]);
      rooms.flush();
    });
    expect(screen.getByText("bees")).toBeDefined();
    expect(drawn.header).toBe(before + 1);
  });

  test("draws a list only where it would look otherwise", () => {
    function Sidebar() {
      draw("sidebar");
      const shown = useListedRooms().map(({ id, unread }) => `${id} ${unread}`);
      return <p>{shown.join(", ")}</p>;
    }
    render(<Sidebar />);
    const before = drawn.sidebar ?? 0;
    act(() => {
      rooms.receive("b", [message("b", 2)]);
      rooms.read("b", 2); // somebody looks at it
      rooms.flush();
    });
    expect(rooms.head("b")).toBe(2);
    expect(drawn.sidebar).toBe(before);
    act(() => {
      rooms.receive("b", [message("b", 3)]);
      rooms.flush();
    });
    expect(screen.getByText("a 0, b 1, c 0")).toBeDefined();
    expect(drawn.sidebar).toBe(before + 1);
  });

  test("changes what is summed over all", () => {
    render(<Total />);
    act(() => {
      rooms.receive("b", [message("b", 2)]);
      rooms.flush();
    });
    expect(screen.getByText("total 1")).toBeDefined();
  });
});

test("a room that comes or goes draws the list, and no other row", () => {
  render(<List />);
  const before = { ...drawn };
  act(() => {
    rooms.add(summary("d"));
    rooms.remove("a");
    rooms.flush();
  });
  expect(drawn).toEqual({ ...before, list: (before.list ?? 0) + 1, "row d": 1 });
});

test("profiles draw again only when one of those asked for changes", () => {
  const profile = (id: string): Profile => ({ id, username: id, display_name: id, role: "member", disabled: false });
  const know = (...ids: string[]) => {
    const profiles = new Map(ids.map((id) => [id, profile(id)]));
    act(() => stores.people.setState((state) => ({ ...state, profiles })));
  };
  const ben = profile("ben");
  act(() => stores.people.setState((state) => ({ ...state, profiles: new Map([["ben", ben]]) })));
  function Names() {
    const profiles = useProfiles(["ben", "cem"]);
    draw("names");
    return <p>{[...profiles.keys()].join(" ")}</p>;
  }
  render(<Names />);
  const before = drawn.names ?? 0;
  const others = new Map([
    ["ben", ben],
    ["dan", profile("dan")],
  ]);
  act(() => stores.people.setState((state) => ({ ...state, profiles: others })));
  expect(drawn.names).toBe(before);
  know("ben", "cem");
  expect(screen.getByText("ben cem")).toBeDefined();
});

test("a quoted message draws again only when it changes itself", () => {
  const quoted: Message = {
    id: "m1",
    room_id: "a",
    seq: 1,
    sender_id: "ben",
    client_id: "c1",
    at: 1,
    text: "one",
    version: 1,
  };
  const show = (...messages: Message[]) => {
    const shown = messages.map(asSent);
    const timeline = { messages: shown, items: shown } as unknown as Timeline;
    act(() => stores.timelines.setState(new Map([["a", timeline]]), true));
  };
  function Quote() {
    draw("quote");
    return <p>{useTimelineMessage("a", "m1")?.text ?? "not there"}</p>;
  }
  render(<Quote />);
  expect(screen.getByText("not there")).toBeDefined();
  show(quoted);
  const before = drawn.quote;
  show(quoted, { ...quoted, id: "m2", seq: 2, client_id: "c2" });
  expect(drawn.quote).toBe(before);
  show({ ...quoted, text: "uno", version: 3 });
  expect(screen.getByText("uno")).toBeDefined();
});
