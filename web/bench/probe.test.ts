import { expect, it } from "vitest";
import { dropped, largestJump, type Frame } from "./probe";

const jump = (moved: readonly Frame[]) => largestJump(moved, 120);

/** Frames of a wheel that turns once in each, as the page hears of it and as a row moves. */
function frames(moves: readonly (number | undefined)[], wheel = -120): Frame[] {
  return moves.map((moved) => ({ ms: 1_000 / 60, moved, wheel }));
}

it("takes what the wheel moves for no jump, also late, early and together", () => {
  expect(jump(frames([120, 120, 120, 120]))).toBe(0);
  expect(jump(frames([0, 0, 360, 120, 0, 240]))).toBe(0);
  expect(jump(frames([240, 0, 120, undefined, 120, 120]))).toBe(0);
  const lump = (moved: number, wheel: number): Frame => ({ ms: 1_000 / 60, moved, wheel });
  expect(jump([lump(0, 0), lump(120, 0), lump(120, -360), lump(120, 0), ...frames(Array<number>(9).fill(0), 0)])).toBe(
    0,
  );
  expect(jump([lump(0, 0), lump(90, 0), lump(150, -360), lump(120, 0), ...frames(Array<number>(9).fill(0), 0)])).toBe(
    30,
  );
});

it("follows another row where one went away, wherever the wheel was by then", () => {
  const still = frames(Array<number>(20).fill(0), 0);
  expect(jump([...frames([0, 0, undefined, 120, 240]), ...still])).toBe(0);
  expect(jump([...frames([0, 0, undefined, 120, 190]), ...still])).toBe(50);
});

it("finds what moves a row otherwise", () => {
  expect(jump(frames([120, 120, 150, 120]))).toBe(30);
  expect(jump(frames([0, 0, 7, 0], 0))).toBe(7);
  expect(
    jump([...frames(Array<number>(20).fill(120)), ...frames(Array<number>(20).fill(0), 0), ...frames([240], 0)]),
  ).toBe(240);
});

it("counts the frames that were not drawn", () => {
  expect(dropped([{ ms: 16.7, moved: 0, wheel: 0 }, { ms: 50, moved: 0, wheel: 0 }])).toBe(2); // prettier-ignore
});
