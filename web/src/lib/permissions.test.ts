import { expect, it } from "vitest";
import { allowedInRoom, allowedOnServer } from "./permissions";

it("lets everybody but guests create and browse rooms", () => {
  expect(allowedOnServer("guest")).toBe(false);
  expect(allowedOnServer("member")).toBe(true);
});

it("lets members invite, moderators remove and owners name roles", () => {
  const may = (role: string) =>
    (["invite", "remove_member", "change_room_roles"] as const).map((one) => allowedInRoom("member", role, one));
  expect(may("guest")).toEqual([false, false, false]);
  expect(may("member")).toEqual([true, false, false]);
  expect(may("moderator")).toEqual([true, true, false]);
  expect(may("owner")).toEqual([true, true, true]);
});

it("raises the staff of the server in every room, and lowers its guests", () => {
  expect(allowedInRoom("admin", "member", "change_room_roles")).toBe(true);
  expect(allowedInRoom("moderator", "member", "change_room_roles")).toBe(false);
  expect(allowedInRoom("moderator", "member", "update_room")).toBe(true);
  expect(allowedInRoom("guest", "owner", "invite")).toBe(false);
});

it("allows nothing to a role that it does not know", () => {
  expect(allowedInRoom("member", "wizard", "send")).toBe(false);
});
