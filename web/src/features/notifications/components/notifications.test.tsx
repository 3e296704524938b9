import { render, waitFor } from "@testing-library/react";
import { MemoryRouter } from "react-router";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { startI18n } from "@/lib/i18n";
import { setNotificationPreferences } from "@/lib/notification-preferences";
import type { RoomEvent, RoomState } from "@/realtime";
import { Notifications } from "./notifications";

const data = vi.hoisted(() => ({
  rooms: [] as RoomState[],
  listeners: new Set<(event: RoomEvent) => void>(),
}));

vi.mock("@/realtime", () => ({
  onRoomEvent: (listener: (event: RoomEvent) => void) => {
    data.listeners.add(listener);
    return () => data.listeners.delete(listener);
  },
  profileOf: () => ({ id: "bob", username: "bob", display_name: "Bob", role: "member", disabled: false }),
  roomOf: (id: string) => data.rooms.find((room) => room.id === id),
  useListedRooms: () => data.rooms,
  useSession: () => ({ user: { id: "ann", display_name: "Ann" }, sessionId: "s" }),
}));

const shown: { title: string; options: NotificationOptions }[] = [];

class FakeNotification {
  static readonly permission = "granted";
  onclick: (() => void) | null = null;
  constructor(title: string, options: NotificationOptions) {
    shown.push({ title, options });
  }
  close() {
    shown.pop();
  }
}

let made = 0;
function say(text: string, roomId = "general"): RoomEvent {
  made += 1;
  const id = `event-${made}`;
  const event = { room_id: roomId, seq: made, id, sender_id: "bob", client_id: id, at: Date.now() };
  const said: RoomEvent = { ...event, type: "message.created", data: { text } };
  for (const listener of data.listeners) listener(said);
  return said;
}

const settled = () => new Promise((resolve) => setTimeout(resolve));

beforeEach(async () => {
  await startI18n();
  vi.stubGlobal("Notification", FakeNotification);
  shown.length = 0;
  data.rooms = [
    {
      id: "general",
      name: "general",
      kind: "public",
      topic: "",
      role: "member",
      head: 0,
      read: 0,
      unread: 0,
      mentions: 0,
      level: "all",
      lastAt: 0,
    },
  ];
  setNotificationPreferences({ enabled: true, sound: false, preview: true, quietUntil: 0 });
});

function show(path = "/") {
  render(
    <MemoryRouter initialEntries={[path]}>
      <Notifications />
    </MemoryRouter>,
  );
}

describe("a message in a room that nobody looks at", () => {
  it("is shown with its author, room and text", async () => {
    show();
    say("Hello");
    await waitFor(() => expect(shown).toHaveLength(1));
    expect(shown[0]).toMatchObject({ title: "Bob in #general", options: { body: "Hello", tag: "general" } });
  });

  it("is shown once, though it comes twice", async () => {
    show();
    const event = say("Hello");
    for (const listener of data.listeners) listener(event);
    await settled();
    expect(shown).toHaveLength(1);
  });

  it("is shown in one line without its Markdown, and not longer than a notification holds", async () => {
    show();
    say("**Hello**, see `this`:\n\n```ts\nconst a = 1;\n```\n- one\n- [two](https://example.org)");
    await waitFor(() => expect(shown).toHaveLength(1));
    expect(shown[0]?.options.body).toBe("Hello, see this: const a = 1; one two");
    say(`_${"long ".repeat(100)}end_`);
    await waitFor(() => expect(shown).toHaveLength(2));
    expect(shown[1]?.options.body).toMatch(/^long .{170,176}…$/);
  });

  it("keeps its text to itself where one wants that", async () => {
    setNotificationPreferences({ preview: false });
    show();
    say("secret");
    await waitFor(() => expect(shown[0]?.options.body).toBe("New message"));
  });

  it("is not shown while one does not want to be disturbed", async () => {
    setNotificationPreferences({ quietUntil: Date.now() + 60_000 });
    show();
    say("Hello");
    await settled();
    expect(shown).toHaveLength(0);
  });
});

it("shows nothing of the room that is looked at", async () => {
  vi.spyOn(document, "hasFocus").mockReturnValue(true);
  show("/r/general");
  say("Hello");
  await settled();
  expect(shown).toHaveLength(0);
});

it("tells in the title how much waits, and takes it back at the end", () => {
  data.rooms = [{ ...data.rooms[0]!, unread: 4, mentions: 2 }];
  const { unmount } = render(
    <MemoryRouter>
      <Notifications />
    </MemoryRouter>,
  );
  expect(document.title).toContain("(2)");
  unmount();
  expect(document.title).not.toContain("(2)");
});
