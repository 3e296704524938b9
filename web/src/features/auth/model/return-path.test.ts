// @vitest-environment happy-dom
import { expect, it } from "vitest";
import { loginPath, returnPath } from "./return-path";

it.each([
  [null, "/"],
  ["/r/1?panel=pins#x", "/r/1?panel=pins#x"],
  ["https://evil.example/", "/"],
  ["//evil.example", "/"],
  ["/\\evil.example", "/"],
  ["javascript:alert(1)", "/"],
  ["r/1", "/"],
])("%s leads to %s", (next, path) => {
  expect(returnPath(next)).toBe(path);
});

it("comes back to where one was", () => {
  expect(loginPath("/")).toBe("/login");
  const next = new URLSearchParams(loginPath("/r/1?panel=pins").split("?")[1]).get("next");
  expect(returnPath(next)).toBe("/r/1?panel=pins");
});
