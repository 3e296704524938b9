import { expect, it } from "vitest";
import { placeTooltip } from "./place-tooltip";

const screen = { width: 400, height: 300 };
const size = { width: 100, height: 20 };
const at = (left: number, top: number) => ({ left, top, width: 40, height: 40 });

it.each([
  ["centred above", at(180, 100), "top", { left: 150, top: 74 }],
  ["below", at(180, 100), "bottom", { left: 150, top: 146 }],
  ["below where there is no room above", at(180, 10), "top", { left: 150, top: 56 }],
  ["above where there is no room below", at(180, 250), "bottom", { left: 150, top: 224 }],
  ["not past the start", at(0, 100), "top", { left: 8, top: 74 }],
  ["not past the end", at(360, 100), "top", { left: 292, top: 74 }],
] as const)("goes %s", (_, target, side, place) => {
  expect(placeTooltip(target, size, screen, side)).toEqual(place);
});
