/** The tones of calling, made here: no file has to be fetched while somebody waits. */

interface Tone {
  /** Hz. */
  notes: readonly number[];
  /** Seconds: how long one note is, and how long all is repeated after. */
  note: number;
  period: number;
  volume: number;
}

/** Two rising notes to who is called; the low one of telephones to who calls (ITU-T E.180: 425 Hz). */
const TONES = {
  incoming: { notes: [587, 784, 587, 784], note: 0.22, period: 3, volume: 0.14 },
  outgoing: { notes: [425], note: 1, period: 4, volume: 0.05 },
} as const satisfies Record<string, Tone>;

/** Sound a tone until the returned function is called. Browsers keep it silent on a page that nobody has touched yet. */
export function ring(kind: keyof typeof TONES): () => void {
  const { notes, note, period, volume }: Tone = TONES[kind];
  const context = new AudioContext();
  const sound = () => {
    if (context.state !== "running") return void context.resume();
    notes.forEach((frequency, index) => {
      const start = context.currentTime + index * note;
      const oscillator = new OscillatorNode(context, { frequency });
      const gain = new GainNode(context, { gain: 0 });
      gain.gain.setValueAtTime(0, start);
      gain.gain.linearRampToValueAtTime(volume, start + 0.03);
      gain.gain.setValueAtTime(volume, start + note - 0.06);
      gain.gain.linearRampToValueAtTime(0, start + note);
      oscillator.connect(gain).connect(context.destination);
      oscillator.start(start);
      oscillator.stop(start + note);
    });
  };
  sound();
  const timer = setInterval(sound, period * 1000);
  return () => {
    clearInterval(timer);
    void context.close();
  };
}
