/** Reading RTCPeerConnection.getStats (W3C webrtc-stats): what has changed between two reports. */

import type { Measurement } from "./quality";

/** The counters of one report that only mean something against those of another. */
export interface Counters {
  at: number;
  received: number;
  lost: number;
  frozen: number;
}

/** A member of a report; browsers leave out what they do not measure. */
type Stats = Record<string, unknown>;

const number = (stats: Stats, name: string): number | undefined => {
  const value = stats[name];
  return typeof value === "number" ? value : undefined;
};

const most = (values: readonly (number | undefined)[]): number | undefined => {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
};

/** What was measured since `before`; `at` is in milliseconds. */
export function measure(
  report: Iterable<Stats>,
  at: number,
  before: Counters | undefined,
): { measured: Measurement; counters: Counters } {
  const all = [...report];
  const ofType = (type: string) => all.filter((stats) => stats.type === type);
  const inbound = ofType("inbound-rtp");
  const sum = (name: string) => inbound.reduce((total, stats) => total + (number(stats, name) ?? 0), 0);
  const counters = {
    at,
    received: sum("packetsReceived"),
    lost: sum("packetsLost"),
    frozen: sum("totalFreezesDuration"),
  };
  const pairs = ofType("candidate-pair").filter((pair) => pair.nominated === true && pair.state === "succeeded");
  const limitation = ofType("outbound-rtp")
    .map((stats) => stats.qualityLimitationReason)
    .find((reason) => reason === "bandwidth" || reason === "cpu");
  const values = {
    roundTrip: most(pairs.map((pair) => number(pair, "currentRoundTripTime"))),
    lossSent: most(ofType("remote-inbound-rtp").map((stats) => number(stats, "fractionLost"))),
    jitter: most(inbound.filter((stats) => stats.kind === "audio").map((stats) => number(stats, "jitter"))),
    limitation,
    ...(before === undefined ? {} : since(before, counters)),
  };
  const known = Object.entries(values).filter(([, value]) => value !== undefined);
  return { measured: Object.fromEntries(known), counters };
}

function since(before: Counters, now: Counters): { lossReceived: number | undefined; frozen: number | undefined } {
  const received = now.received - before.received;
  const lost = Math.max(0, now.lost - before.lost); // duplicates may make it shrink
  const expected = received + lost;
  const seconds = (now.at - before.at) / 1000;
  return {
    lossReceived: expected > 0 ? lost / expected : undefined,
    frozen: seconds > 0 ? Math.min(1, Math.max(0, (now.frozen - before.frozen) / seconds)) : undefined,
  };
}
