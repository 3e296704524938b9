// @vitest-environment happy-dom
import { expect, it } from "vitest";
import { readAccountItem, wipeAccountItems, writeAccountItem } from "./account-storage";

it("keeps a value for one account, until it is wiped", () => {
  localStorage.setItem("other", "stays");
  writeAccountItem("ann", "searches", ["report"]);
  expect(readAccountItem("ann", "searches")).toEqual(["report"]);
  expect(readAccountItem("bob", "searches")).toBeNull();
  wipeAccountItems();
  expect(readAccountItem("ann", "searches")).toBeNull();
  expect(localStorage.getItem("other")).toBe("stays");
});

it("takes what is not JSON for nothing", () => {
  localStorage.setItem("parlour.account.ann.searches", "{");
  expect(readAccountItem("ann", "searches")).toBeNull();
});
