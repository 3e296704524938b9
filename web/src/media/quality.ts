/** How good a call is, from 4 bars to 1, with what holds it back. Pure. */

/** What was measured over the last seconds; what is unknown is left out. */
export interface Measurement {
  /** Round trip to the other side, in seconds. */
  roundTrip?: number;
  /** Of the arriving packets, the part that did not: 0 to 1. */
  lossReceived?: number;
  /** Of the packets sent, the part that the other side reports as lost. */
  lossSent?: number;
  /** Variation of the arrival, in seconds. */
  jitter?: number;
  /** What the browser says keeps it from sending better pictures. */
  limitation?: "bandwidth" | "cpu";
  /** Of the last seconds, the part in which the picture stood still. */
  frozen?: number;
}

export type QualityReason = "loss" | "delay" | "bandwidth" | "cpu";
export type Bars = 1 | 2 | 3 | 4;

export interface Quality {
  bars: Bars;
  /** Absent at four bars. */
  reason?: QualityReason;
}

/** From which value on there are 3, 2, 1 bars. Loss: Opus conceals some per cent, 10 % is heard by all. Delay: ITU-T G.114. */
const LOSS = [0.02, 0.05, 0.12] as const;
const ROUND_TRIP = [0.25, 0.45, 0.8] as const;
const JITTER = [0.04, 0.08, 0.15] as const;
const FROZEN = [0.05, 0.2, 0.5] as const;

function barsOf(value: number | undefined, [three, two, one]: readonly [number, number, number]): Bars {
  if (value === undefined || value < three) return 4;
  if (value < two) return 3;
  return value < one ? 2 : 1;
}

export function rate(measured: Measurement): Quality {
  const loss = Math.max(measured.lossReceived ?? 0, measured.lossSent ?? 0);
  const found: [QualityReason, Bars][] = [
    ["loss", barsOf(loss, LOSS)],
    ["delay", barsOf(measured.roundTrip, ROUND_TRIP)],
    ["delay", barsOf(measured.jitter, JITTER)],
    ["bandwidth", barsOf(measured.frozen, FROZEN)],
  ];
  if (measured.limitation !== undefined) found.push([measured.limitation, 3]);
  const [reason, bars] = found.reduce((worst, one) => (one[1] < worst[1] ? one : worst));
  return bars === 4 ? { bars } : { bars, reason };
}

/** Samples without the worse rating before the bars rise: they should not flicker. */
const STEADY = 3;

/** Shows worse at once, and better only once it has lasted. */
export class SteadyQuality {
  #shown: Quality = { bars: 4 };
  #better = 0;

  add(next: Quality): Quality {
    this.#better = next.bars > this.#shown.bars ? this.#better + 1 : 0;
    if (next.bars <= this.#shown.bars || this.#better >= STEADY) {
      this.#shown = next;
      this.#better = 0;
    }
    return this.#shown;
  }
}
