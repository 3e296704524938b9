import { describe, expect, it } from "vitest";
import {
  checkAccount,
  checkDisplayName,
  checkEmail,
  checkPassword,
  checkUsername,
  suggestUsername,
} from "./account-rules";

const ann = { display_name: "Ann Lee", username: "ann", email: "ann@example.org" };

describe("a username", () => {
  it.each(["ann", "ann.lee", "ann-lee_2", "Änne", "あおい", "x".repeat(32)])("%s is fine", (name) => {
    expect(checkUsername(name)).toBeUndefined();
  });

  it.each([
    ["", "required"],
    ["a", "username.length"],
    ["x".repeat(33), "username.length"],
    [".ann", "username.characters"],
    ["ann..lee", "username.characters"],
    ["ann lee", "username.characters"],
    ["Everyone", "username.reserved"],
  ])("%j is not", (name, problem) => {
    expect(checkUsername(name)).toBe(problem);
  });
});

describe("an address", () => {
  it.each(["a@b", " ann@example.org ", "ann+tag@mail.example.org"])("%j is fine", (email) => {
    expect(checkEmail(email)).toBeUndefined();
  });

  it.each(["ann", "@example.org", "ann@", "a@b@c", "ann@-x.org", "ann@a..b", `${"x".repeat(65)}@b.org`])(
    "%j is not",
    (email) => {
      expect(checkEmail(email)).toBe("email_invalid");
    },
  );
});

describe("a display name", () => {
  it("has 1 to 64 visible characters", () => {
    expect(checkDisplayName("  Ann   Lee ")).toBeUndefined();
    expect(checkDisplayName("👨‍👩‍👧 Lee")).toBeUndefined();
    expect(checkDisplayName(" ")).toBe("required");
    expect(checkDisplayName("x".repeat(65))).toBe("display_name_invalid");
    expect(checkDisplayName("ann\u202Egnp")).toBe("display_name_invalid");
  });
});

describe("a password", () => {
  it.each([
    ["short", "password_too_short"],
    ["é".repeat(600), "password_too_long"],
    ["ann@example.org", "password_is_name"],
    ["example1!", "password_too_short"],
    ["Ann Lee 123", "password_is_name"],
    ["eelnnaeelnna", undefined],
    ["annleeannlee", "password_is_name"],
    ["seven green kettles", undefined],
  ])("%j", (password, problem) => {
    expect(checkPassword(password, ann)).toBe(problem);
  });
});

it("names what is wrong with each field, and nothing else", () => {
  expect(checkAccount({ ...ann, username: "", password: "seven green kettles" })).toEqual({ username: "required" });
});

it.each([
  ["Ann Lee", "ann.lee"],
  ["Ann-Marie O'Neil", "ann-marie.oneil"],
  ["Jörg  Müller", "jorg.muller"],
  ["  ", ""],
  ["x".repeat(40), "x".repeat(32)],
  ["(Bo) -x-", "bo.x"],
])("suggests for %j %j, which is one", (name, username) => {
  expect(suggestUsername(name)).toBe(username);
  if (username !== "") expect(checkUsername(username)).toBeUndefined();
});
