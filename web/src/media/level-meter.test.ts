import { expect, it } from "vitest";
import { levelOf } from "./level-meter";

it.each([
  ["silence", 0, 0],
  ["full scale", 1, 1],
  ["half of what is heard, -30 dB", 10 ** (-30 / 20), 0.5],
  ["what is quieter than the scale", 1e-6, 0],
])("gives %s its level", (_, amplitude, level) => {
  expect(levelOf(new Float32Array(64).fill(amplitude))).toBeCloseTo(level);
});
