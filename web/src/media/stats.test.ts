import { expect, it } from "vitest";
import { measure } from "./stats";

const audio = (packetsReceived: number, packetsLost: number) => ({
  type: "inbound-rtp",
  kind: "audio",
  packetsReceived,
  packetsLost,
  jitter: 0.01,
});
const pair = { type: "candidate-pair", nominated: true, state: "succeeded", currentRoundTripTime: 0.04 };

it("tells only what one report can tell at first", () => {
  const { measured, counters } = measure([audio(100, 10), pair], 1_000, undefined);
  expect(measured).toEqual({ roundTrip: 0.04, jitter: 0.01 });
  expect(counters).toEqual({ at: 1_000, received: 100, lost: 10, frozen: 0 });
});

it("counts loss since the report before", () => {
  const { counters } = measure([audio(100, 10)], 1_000, undefined);
  expect(measure([audio(190, 20)], 3_000, counters).measured.lossReceived).toBeCloseTo(0.1);
});

it("takes counters that shrink for no loss, and silence for none known", () => {
  const { counters } = measure([audio(100, 10)], 1_000, undefined);
  expect(measure([audio(200, 8)], 3_000, counters).measured.lossReceived).toBe(0);
  expect(measure([audio(100, 10)], 3_000, counters).measured.lossReceived).toBeUndefined();
});

it("tells the time that the picture stood still, and what limits the sender", () => {
  const video = (totalFreezesDuration: number) => ({ type: "inbound-rtp", kind: "video", totalFreezesDuration });
  const { counters } = measure([video(1)], 0, undefined);
  const sending = { type: "outbound-rtp", qualityLimitationReason: "cpu" };
  const { measured } = measure([video(2), sending], 2_000, counters);
  expect(measured).toMatchObject({ frozen: 0.5, limitation: "cpu" });
});

it("passes over pairs that carry nothing", () => {
  expect(measure([{ ...pair, nominated: false }], 0, undefined).measured).toEqual({});
});
