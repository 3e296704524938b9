import { fireEvent, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeAll, beforeEach, expect, it, vi } from "vitest";
import { startI18n } from "@/lib/i18n";
import type { TimelineMessage } from "@/realtime";
import { message } from "../testing/messages";
import { renderInRoom, type InRoom } from "../testing/in-room";
import * as realtime from "../testing/realtime";
import { MessageRow } from "./message-row";

vi.mock("@/realtime", () => import("../testing/realtime"));

beforeAll(startI18n);
beforeEach(() => {
  vi.clearAllMocks();
});

function show(changes: Partial<TimelineMessage>): InRoom & { user: ReturnType<typeof userEvent.setup> } {
  const row = <MessageRow message={message(3, changes)} grouped={false} readers="bob" canReact />;
  return { ...renderInRoom(row), user: userEvent.setup() };
}

it("says who wrote what, and who has read it", () => {
  show({ text: "**Hello**" });
  const row = screen.getByRole("article", { name: /^Ann Ahlgren, / });
  expect(within(row).getByText("Hello").tagName).toBe("STRONG");
  expect(within(row).getByRole("img", { name: /Seen by .*Bob Okafor/ })).toBeTruthy();
});

it("offers what can be done about a refused message", async () => {
  const { user, room } = show({ sender_id: "me", seq: 0, state: "failed", error: { code: "forbidden", message: "" } });
  expect(screen.getByRole("alert").textContent).toBe("Not sent. You are not allowed to do this here.");
  await user.click(screen.getByRole("button", { name: "Try again" }));
  expect(realtime.retryCommand).toHaveBeenCalledWith("client 3");
  await user.click(screen.getByRole("button", { name: "Discard" }));
  expect(realtime.discardCommand).toHaveBeenCalledWith("client 3");
  await user.click(screen.getByRole("button", { name: "Edit" }));
  expect(room.ui.getState().editing).toBe("key 3");
});

it("sends a refused message with another text", async () => {
  const { user, room } = show({ sender_id: "me", seq: 0, state: "failed" });
  await user.click(screen.getByRole("button", { name: "Edit" }));
  await user.type(screen.getByLabelText("Edit message"), " again{Enter}");
  expect(realtime.editFailed).toHaveBeenCalledWith("client 3", "Hello again");
  expect(room.ui.getState().editing).toBeUndefined();
});

it("leaves a text as it was on Escape, and where nothing changed", async () => {
  const { user, room } = show({ sender_id: "me" });
  for (const keys of [" no{Escape}", "{Enter}"]) {
    fireEvent.focus(screen.getByRole("article"));
    room.ui.setState({ editing: "key 3" });
    await user.type(await screen.findByLabelText("Edit message"), keys);
  }
  expect(realtime.editMessage).not.toHaveBeenCalled();
  expect(screen.getByText("Hello")).toBeTruthy();
});

it("adds to a reaction, and takes one's own away", async () => {
  const { user } = show({ reactions: { "👍": ["ann"], "🎉": ["me", "bob"] } });
  await user.click(screen.getByRole("button", { name: /👍.*Ann/ }));
  expect(realtime.addReaction).toHaveBeenCalledWith("room", "id 3", "👍");
  const own = screen.getByRole("button", { name: /🎉\s*2 You and .*Bob/ });
  expect(own.getAttribute("aria-pressed")).toBe("true");
  await user.click(own);
  expect(realtime.removeReaction).toHaveBeenCalledWith("room", "id 3", "🎉");
});

async function openMenu(user: ReturnType<typeof userEvent.setup>): Promise<void> {
  await user.hover(screen.getByRole("article"));
  screen.getByRole("button", { name: "More" }).focus();
  await user.keyboard("{Enter}");
}

it("lets one change or discard what waits to be sent", async () => {
  const { user } = show({ sender_id: "me", id: "client 3", seq: 0, state: "pending", recallable: true });
  await openMenu(user);
  await user.click(await screen.findByRole("menuitem", { name: "Discard" }));
  expect(realtime.discardCommand).toHaveBeenCalledWith("client 3");
  await user.click(screen.getByRole("button", { name: /Edit/ }));
  await user.type(await screen.findByLabelText("Edit message"), " again{Enter}");
  expect(realtime.editMessage).toHaveBeenCalledWith("room", "client 3", "Hello again");
});

it("deletes what may be on its way once it has arrived", async () => {
  const { user } = show({ sender_id: "me", id: "client 3", seq: 0, state: "pending" });
  await openMenu(user);
  expect(screen.queryByRole("menuitem", { name: "Discard" })).toBeNull();
  await user.click(await screen.findByRole("menuitem", { name: /Delete/ }));
  expect(realtime.deleteMessage).toHaveBeenCalledWith("room", "client 3");
});

it("deletes", async () => {
  const { user } = show({ sender_id: "me" });
  await openMenu(user);
  await user.click(await screen.findByRole("menuitem", { name: /Delete/ }));
  expect(realtime.deleteMessage).toHaveBeenCalledWith("room", "id 3");
});

it("takes a deletion back while it was not sent, and no longer", async () => {
  const deleted = { sender_id: "me", text: "", deleted_at: 1, state: "pending", command: "message.delete" } as const;
  const { user, rerender } = show({ ...deleted, recallable: true });
  await user.click(screen.getByRole("button", { name: "Undo" }));
  expect(realtime.discardCommand).toHaveBeenCalledWith("client 3");
  rerender(<MessageRow message={message(3, deleted)} grouped={false} readers="" canReact />);
  expect(screen.queryByRole("button")).toBeNull();
});

it("shows nothing of a deleted message but that it was", () => {
  show({ deleted_at: 1, text: "", reactions: { "👍": ["ann"] } });
  expect(screen.getByText("This message was deleted.")).toBeTruthy();
  expect(screen.queryByRole("button")).toBeNull();
});

it("is drawn again only when it changes itself", () => {
  const rows = (messages: TimelineMessage[]) =>
    messages.map((each) => <MessageRow key={each.key} message={each} grouped={false} readers="" canReact />);
  const messages = [message(1), message(2, { sender_id: "bob" }), message(3, { sender_id: "me" })];
  const { rerender } = renderInRoom(rows(messages));
  realtime.useProfile.mockClear();
  rerender(rows(messages.map((each) => (each.sender_id === "bob" ? { ...each, text: "Changed" } : each))));
  expect(screen.getByText("Changed")).toBeTruthy();
  expect(realtime.useProfile.mock.calls).toEqual([["bob"]]);
});

it("costs no formatters and at most one copy of i18n, but for the first", () => {
  const rows = (count: number) =>
    Array.from({ length: count }, (_, n) => (
      <MessageRow key={n} message={message(n, { reactions: { "👍": ["ann"] } })} grouped={false} readers="" canReact />
    ));
  const plain = (count: number) =>
    Array.from({ length: count }, (_, n) => (
      <MessageRow key={`plain ${n}`} message={message(n)} grouped={false} readers="" canReact />
    ));
  const { rerender } = renderInRoom(rows(1));
  const made = [vi.spyOn(Intl, "DateTimeFormat"), vi.spyOn(Intl, "RelativeTimeFormat"), vi.spyOn(Intl, "ListFormat")];
  rerender(rows(10));
  expect(made.map((constructor) => constructor.mock.calls.length)).toEqual([0, 0, 0]);
  const copied = vi.spyOn(Object, "getOwnPropertyDescriptors"); // react-i18next makes its copies by it
  rerender(plain(10));
  expect(copied.mock.calls.length).toBeLessThanOrEqual(10);
});

it("cuts a very long text until one asks for the rest", async () => {
  const { user } = show({ text: "line\n".repeat(60) });
  const more = screen.getByRole("button", { name: "Show more" });
  expect(more.getAttribute("aria-expanded")).toBe("false");
  await user.click(more);
  expect(screen.getByRole("button", { name: "Show less" })).toBeTruthy();
});
