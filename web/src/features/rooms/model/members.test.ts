import { expect, it } from "vitest";
import { aPerson } from "../testing/rooms";
import { listedMembers } from "./members";

const compare = new Intl.Collator("en").compare;
const member = (name: string, role = "member") => {
  const user = aPerson(name);
  return { user_id: user.id, role, joined_at: 0, user };
};
const names = (text: string, ...members: ReturnType<typeof member>[]) =>
  listedMembers(members, text, compare).map((one) => one.user?.display_name);

it("lists owners and moderators before the others, each by name", () => {
  expect(names("", member("Zoe"), member("Bob"), member("Mia", "moderator"), member("Ann", "owner"))).toEqual([
    "Ann",
    "Mia",
    "Bob",
    "Zoe",
  ]);
});

it("finds by a part of the name or username, without regard to accents", () => {
  expect(names("zof", member("Žofie"), member("Bob"))).toEqual(["Žofie"]);
  expect(names("@bo", member("Žofie"), member("Bob"))).toEqual(["Bob"]);
});

it("lists a member whose account is gone", () => {
  expect(listedMembers([{ user_id: "gone", role: "member", joined_at: 0 }], "", compare)).toHaveLength(1);
});
