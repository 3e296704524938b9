import { fireEvent, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeAll, beforeEach, expect, it, vi } from "vitest";
import { startI18n } from "@/lib/i18n";
import { listMembers } from "../api/list-members";
import { message, NOON } from "../testing/messages";
import { renderInRoom, type InRoom } from "../testing/in-room";
import { people, sendMessage, useConnection } from "../testing/realtime";
import { Composer } from "./composer";

vi.mock("@/realtime", () => import("../testing/realtime"));
vi.mock("../api/list-members");

beforeAll(startI18n);

beforeEach(() => {
  sendMessage.mockClear();
  useConnection.mockReturnValue({ status: "online" });
  const members = [...people.values()].map((user) => ({ user_id: user.id, role: "member", joined_at: NOON, user }));
  vi.mocked(listMembers).mockResolvedValue({ members, cursor: null });
});

const sent = vi.fn();

function open(): InRoom & { user: ReturnType<typeof userEvent.setup>; field: HTMLTextAreaElement } {
  const result = renderInRoom(
    <Composer ref={{ current: null }} roomName="design" lastOwn={message(7, { sender_id: "me" })} onSent={sent} />,
  );
  return { ...result, user: userEvent.setup(), field: screen.getByLabelText("Message to design") };
}

it("sends on Enter, and begins a line on Shift-Enter", async () => {
  const { user, field } = open();
  await user.type(field, "one{Shift>}{Enter}{/Shift}two{Enter}");
  expect(sendMessage.mock.calls).toEqual([["room", "one\ntwo", {}]]);
  expect(field.value).toBe("");
  expect(sent).toHaveBeenCalled();
});

it("sends nothing blank, nothing too long, and nothing that an input method still composes", async () => {
  const { user, field } = open();
  await user.type(field, "  {Enter}");
  fireEvent.change(field, { target: { value: "a".repeat(8_001) } });
  fireEvent.keyDown(field, { key: "Enter" });
  expect(screen.getByRole("status").textContent).toBe("-1 left");
  fireEvent.change(field, { target: { value: "かな" } });
  fireEvent.keyDown(field, { key: "Enter", isComposing: true });
  fireEvent.keyDown(field, { key: "Enter", keyCode: 229 });
  expect(sendMessage).not.toHaveBeenCalled();
});

it("is not drawn again for what others write", () => {
  const lastOwn = message(7, { sender_id: "me" });
  const composer = () => <Composer roomName="design" lastOwn={lastOwn} onSent={sent} />;
  const { rerender } = renderInRoom(composer());
  useConnection.mockClear();
  rerender(composer());
  expect(useConnection).not.toHaveBeenCalled();
});

it("edits the last own message on the up arrow, where nothing is written", async () => {
  const { user, field, room } = open();
  await user.type(field, "a{ArrowUp}");
  expect(room.ui.getState().editing).toBeUndefined();
  await user.type(field, "{Backspace}{ArrowUp}");
  expect(room.ui.getState().editing).toBe("key 7");
});

it("answers a message, or does not after all", async () => {
  const { user, field, room } = open();
  room.ui.setState({ replyTo: message(3, { text: "Where?" }) });
  expect(await screen.findByText("Where?")).toBeTruthy();
  await user.type(field, "here{Enter}");
  expect(sendMessage).toHaveBeenLastCalledWith("room", "here", { replyTo: "id 3" });
  room.ui.setState({ replyTo: message(3) });
  await user.type(field, "{Escape}");
  expect(room.ui.getState().replyTo).toBeUndefined();
});

it("completes the name of a member", async () => {
  const { user, field } = open();
  await user.type(field, "hi @oka");
  expect((await screen.findByRole("option")).textContent).toContain("Bob Okafor");
  await user.keyboard("{Enter}");
  expect(field.value).toBe("hi @bob ");
  expect(sendMessage).not.toHaveBeenCalled();
});

it("makes a selection bold and plain again", async () => {
  const { user, field } = open();
  await user.type(field, "so it is");
  field.setSelectionRange(3, 5);
  await user.keyboard("{Control>}b{/Control}");
  expect(field.value).toBe("so **it** is");
  await user.keyboard("{Control>}b{/Control}");
  expect(field.value).toBe("so it is");
});

it("says that it will be sent later while there is no network", async () => {
  useConnection.mockReturnValue({ status: "offline" });
  const { user, field } = open();
  expect(screen.queryByText(/back online/)).toBeNull();
  await user.type(field, "a");
  expect(screen.getByText(/back online/)).toBeTruthy();
});
