/** What this side sends: opens and closes devices, and keeps their tracks. */

import { mediaProblem, openCamera, openMicrophone, openScreen, type Line, type MediaProblem } from "@/media";
import { chosenDevice } from "./device-preferences";

export type Source = "microphone" | "camera" | "screen";

export interface LocalMediaEvents {
  /** Another track is sent on a line now, or none. */
  changed: (line: Line, track: MediaStreamTrack | null) => void;
  /** A device could not be had, or can be again. */
  problem: (source: Source, problem: MediaProblem | undefined) => void;
  /** A track ended by itself: unplugged, or the browser's own "stop sharing". */
  lost: (source: Source) => void;
}

export class LocalMedia {
  readonly tracks: Record<Line, MediaStreamTrack | null> = {
    microphone: null,
    camera: null,
    screen: null,
    screenAudio: null,
  };
  readonly #events: LocalMediaEvents;
  #closed = false;

  constructor(events: LocalMediaEvents) {
    this.#events = events;
  }

  /** Take a device, or the one that is chosen now instead of that in use. Resolves with whether there is one. */
  async open(source: Source): Promise<boolean> {
    try {
      if (source === "screen") {
        const { video, audio } = await openScreen();
        this.#set("screen", video);
        this.#set("screenAudio", audio ?? null);
      } else if (source === "camera") {
        this.#set("camera", await openCamera(await chosenDevice("videoinput")));
      } else {
        this.#set("microphone", await openMicrophone(await chosenDevice("audioinput")));
      }
    } catch (error) {
      const problem = mediaProblem(error, source === "screen" ? "screen" : "device");
      if (!this.#closed) this.#events.problem(source, problem === "dismissed" ? undefined : problem);
      return false;
    }
    if (!this.#closed) this.#events.problem(source, undefined);
    return !this.#closed;
  }

  close(source: Source): void {
    this.#set(source, null);
    if (source === "screen") this.#set("screenAudio", null);
  }

  /** Muting keeps the microphone, so that unmuting loses no word. */
  enable(source: Source, on: boolean): void {
    const track = this.tracks[source];
    if (track !== null) track.enabled = on;
  }

  closeAll(): void {
    this.#closed = true;
    Object.values(this.tracks).forEach((track) => track?.stop());
  }

  #set(line: Line, track: MediaStreamTrack | null): void {
    if (this.#closed) return track?.stop(); // the call ended while the browser asked
    const before = this.tracks[line];
    this.tracks[line] = track;
    before?.stop();
    track?.addEventListener("ended", () => {
      if (this.tracks[line] === track && line !== "screenAudio") this.#events.lost(line);
    });
    this.#events.changed(line, track);
  }
}
