/** What this side sends: opens and closes devices, and keeps their tracks. */

import { mediaProblem, openCamera, openMicrophone, openScreen, type Line, type MediaProblem } from "@/media";
import { chosenDevice } from "./device-preferences";

const SOURCES = ["microphone", "camera", "screen"] as const;
export type Source = (typeof SOURCES)[number];

export interface LocalMediaEvents {
  /** Another track is sent on a line now, or none. */
  changed: (line: Line, track: MediaStreamTrack | null) => void;
  /** A device could not be had, or can be again. */
  problem: (source: Source, problem: MediaProblem | undefined) => void;
  /** A track ended by itself: unplugged, or the browser's own "stop sharing". */
  lost: (source: Source) => void;
}

/** `superseded`: closed meanwhile, or asked for anew; whoever did that tells what comes of it. */
export type Outcome = "open" | "failed" | "superseded";

export class LocalMedia {
  readonly tracks: Record<Line, MediaStreamTrack | null> = {
    microphone: null,
    camera: null,
    screen: null,
    screenAudio: null,
  };
  readonly #events: LocalMediaEvents;
  /** Counts what was asked of a source: an answer to anything but the last is not wanted any more. */
  readonly #asked: Record<Source, number> = { microphone: 0, camera: 0, screen: 0 };
  readonly #opening = new Set<Source>();
  #muted = false;
  #closed = false;

  constructor(events: LocalMediaEvents) {
    this.#events = events;
  }

  /** Take a device, or the one that is chosen now instead of that in use. It may take as long as a person thinks. */
  async open(source: Source): Promise<Outcome> {
    if (this.#closed) return "superseded";
    const asked = ++this.#asked[source];
    this.#opening.add(source);
    let opened: Partial<Record<Line, MediaStreamTrack>>;
    try {
      opened = await capture(source);
    } catch (error) {
      if (asked !== this.#asked[source]) return "superseded";
      this.#opening.delete(source);
      const problem = mediaProblem(error, source === "screen" ? "screen" : "device");
      this.#events.problem(source, problem === "dismissed" ? undefined : problem);
      return "failed";
    }
    if (asked !== this.#asked[source]) {
      Object.values(opened).forEach((track) => track.stop());
      return "superseded";
    }
    this.#opening.delete(source);
    this.#set(source, opened[source] ?? null);
    if (source === "screen") this.#set("screenAudio", opened.screenAudio ?? null);
    this.#events.problem(source, undefined);
    return "open";
  }

  /** Whether there is a track, or one is on its way. */
  holds(source: Source): boolean {
    return this.tracks[source] !== null || this.#opening.has(source);
  }

  /** Whether something of it goes out. */
  sends(source: Source): boolean {
    return this.tracks[source]?.enabled === true;
  }

  close(source: Source): void {
    this.#forget(source);
    this.#set(source, null);
    if (source === "screen") this.#set("screenAudio", null);
  }

  /** Muting keeps the microphone, so that unmuting loses no word. It holds for the one that is still to open, too. */
  mute(muted: boolean): void {
    this.#muted = muted;
    const { microphone } = this.tracks;
    if (microphone !== null) microphone.enabled = !muted;
  }

  closeAll(): void {
    this.#closed = true;
    SOURCES.forEach((source) => this.#forget(source));
    Object.values(this.tracks).forEach((track) => track?.stop());
  }

  #forget(source: Source): void {
    this.#asked[source] += 1;
    this.#opening.delete(source);
  }

  #set(line: Line, track: MediaStreamTrack | null): void {
    if (this.#closed) return;
    const before = this.tracks[line];
    if (line === "microphone" && track !== null) track.enabled = !this.#muted; // before anything can send it
    this.tracks[line] = track;
    before?.stop();
    track?.addEventListener("ended", () => {
      if (this.tracks[line] === track && line !== "screenAudio") this.#events.lost(line);
    });
    this.#events.changed(line, track);
  }
}

async function capture(source: Source): Promise<Partial<Record<Line, MediaStreamTrack>>> {
  if (source === "microphone") return { microphone: await openMicrophone(await chosenDevice("audioinput")) };
  if (source === "camera") return { camera: await openCamera(await chosenDevice("videoinput")) };
  const { video, audio } = await openScreen();
  return { screen: video, ...(audio === undefined ? {} : { screenAudio: audio }) };
}
