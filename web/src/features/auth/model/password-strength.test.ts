import { expect, it } from "vitest";
import { passwordStrength } from "./password-strength";

it.each([
  ["kettles", "short"],
  ["aaaaaaaaaaaaaaaa", "weak"],
  ["abcdefghijklmnop", "weak"],
  ["1234567890", "weak"],
  ["kjwbpzmxvs", "fair"],
  ["blue kettle", "fair"],
  ["Blue.Kettle7", "good"],
  ["seven green kettles", "strong"],
])("%s is %s", (password, strength) => {
  expect(passwordStrength(password)).toBe(strength);
});
