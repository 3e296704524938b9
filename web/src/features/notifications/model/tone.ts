/** The sound of a notification: two short notes, made here. */

const NOTES = [
  { frequency: 659.25, at: 0 },
  { frequency: 880, at: 0.09 },
];
const LENGTH = 0.28;
const VOLUME = 0.08;
/** A burst of messages sounds once. */
const GAP_MS = 1_500;

let context: AudioContext | undefined;
let playedAt = 0;

/** Play it, unless it has just sounded. Silent where the browser allows no sound before somebody has touched the page. */
export async function playTone(): Promise<void> {
  const now = Date.now();
  if (now - playedAt < GAP_MS || typeof AudioContext === "undefined") return;
  playedAt = now;
  context ??= new AudioContext();
  if (context.state === "suspended") await context.resume();
  for (const { frequency, at } of NOTES) {
    const start = context.currentTime + at;
    const oscillator = new OscillatorNode(context, { type: "sine", frequency });
    const gain = new GainNode(context, { gain: 0 });
    gain.gain.setValueAtTime(0, start);
    gain.gain.linearRampToValueAtTime(VOLUME, start + 0.01);
    gain.gain.exponentialRampToValueAtTime(0.0001, start + LENGTH);
    oscillator.connect(gain).connect(context.destination);
    oscillator.start(start);
    oscillator.stop(start + LENGTH);
  }
}
