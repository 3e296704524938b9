import { describe, expect, it } from "vitest";
import { rate, SteadyQuality, type Measurement, type Quality } from "./quality";

const table: [name: string, measured: Measurement, quality: Quality][] = [
  ["nothing known", {}, { bars: 4 }],
  ["a good network", { roundTrip: 0.05, lossReceived: 0.005, jitter: 0.01, frozen: 0 }, { bars: 4 }],
  ["some loss", { lossReceived: 0.03 }, { bars: 3, reason: "loss" }],
  ["loss that the other side reports", { lossSent: 0.2 }, { bars: 1, reason: "loss" }],
  ["a long way", { roundTrip: 0.5 }, { bars: 2, reason: "delay" }],
  ["uneven arrival", { jitter: 0.2 }, { bars: 1, reason: "delay" }],
  ["pictures that stand still", { frozen: 0.3 }, { bars: 2, reason: "bandwidth" }],
  ["a browser that sends less for the network", { limitation: "bandwidth" }, { bars: 3, reason: "bandwidth" }],
  ["a device that is too slow", { limitation: "cpu" }, { bars: 3, reason: "cpu" }],
  ["the worst of several", { roundTrip: 0.3, lossReceived: 0.2, limitation: "cpu" }, { bars: 1, reason: "loss" }],
];

it.each(table)("rates %s", (_, measured, quality) => {
  expect(rate(measured)).toEqual(quality);
});

describe("what is shown", () => {
  it("is worse at once and better after a while", () => {
    const steady = new SteadyQuality();
    const bars = ([1, 4, 4, 4, 4] as const).map((each) => steady.add({ bars: each }).bars);
    expect(bars).toEqual([1, 1, 1, 4, 4]);
  });

  it("starts to wait again when it is worse in between", () => {
    const steady = new SteadyQuality();
    const bars = [1, 4, 4, 1, 4, 4].map((each) => steady.add({ bars: each as 1 | 4 }).bars);
    expect(bars).toEqual([1, 1, 1, 1, 1, 1]);
  });
});
