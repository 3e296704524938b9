/** What somebody has written for a room before the application had started, and how that goes together with its draft. Pure. */

/** A field's text, and where the caret or the selection is. */
export interface Written {
  text: string;
  start: number;
  end: number;
}

export interface WrittenInRoom extends Written {
  /** What the field began with: the draft that the device kept. */
  base: string;
  /** What was sent, in order, from the first on. */
  sent: readonly string[];
  /** The draft that the first of them began with. */
  sentBase: string;
}

/** What is kept where no field has taken it. */
export interface Unsent {
  text: string;
  base: string;
}

type KeptForRoom = Unsent & { roomId: string };

/** Rooms for which something is kept, at most. */
const MAX_KEPT = 16;

/** What is kept for a room among `kept`, which this code or another has written. */
export function keptFor(kept: unknown, roomId: string): Unsent | undefined {
  return keptOf(kept).find((each) => each.roomId === roomId);
}

/** What is kept, with `unsent` or nothing for a room; of too many rooms the last. */
export function withKept(kept: unknown, roomId: string, unsent?: Unsent): KeptForRoom[] {
  const others = keptOf(kept).filter((each) => each.roomId !== roomId);
  return (unsent === undefined ? others : [...others, { ...unsent, roomId }]).slice(-MAX_KEPT);
}

function keptOf(kept: unknown): KeptForRoom[] {
  if (!Array.isArray(kept)) return [];
  return (kept as (Partial<KeptForRoom> | null)[]).filter(
    (each): each is KeptForRoom =>
      typeof each?.roomId === "string" && typeof each.text === "string" && typeof each.base === "string",
  );
}

/** What was sent and what was not, as one text. */
export function unsentOf({ sent, text, base, sentBase }: WrittenInRoom): Unsent {
  if (sent.length === 0) return { text, base };
  return { text: [...sent, text].filter((each) => each !== "").join("\n"), base: sentBase };
}

/** What was written, after what the application has for a draft by then, unless it was written into that. */
export function joined(kept: string, { text, start, end, base, sent, sentBase }: WrittenInRoom): Written {
  const draft = sent.length > 0 && kept === sentBase ? "" : kept;
  if (draft === base || draft === text) return { text, start, end };
  const from = text.startsWith(base) ? base.length : 0;
  const more = text.slice(from);
  const head = draft === "" || more === "" ? draft : `${draft}\n`;
  const at = (position: number) => (more === "" ? head.length : head.length + Math.max(0, position - from));
  return { text: head + more, start: at(start), end: at(end) };
}
