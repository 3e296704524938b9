// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { LocalMedia } from "./local-media";

class Track extends EventTarget {
  enabled = true;
  readyState = "live";
  constructor(readonly kind: "audio" | "video") {
    super();
  }
  stop() {
    this.readyState = "ended";
  }
}

/** What the browser was asked for, still unanswered. */
const asked: { give: () => Track; refuse: () => void }[] = [];
const changed = vi.fn((line: string, track: MediaStreamTrack | null) => [line, track?.enabled]);
const problem = vi.fn();
let local: LocalMedia;

function ask({ video }: MediaStreamConstraints): Promise<unknown> {
  return new Promise((resolve, reject) => {
    asked.push({
      give: () => {
        const track = new Track(video === undefined ? "audio" : "video");
        const of = (kind: string) => () => (track.kind === kind ? [track] : []);
        resolve({ getAudioTracks: of("audio"), getVideoTracks: of("video") });
        return track;
      },
      refuse: () => reject(new DOMException("no", "NotAllowedError")),
    });
  });
}

/** Answer the browser's nth question, once it was asked. */
async function answer(nth: number): Promise<Track> {
  await vi.waitFor(() => expect(asked.length).toBeGreaterThan(nth));
  return asked[nth]!.give();
}

beforeEach(() => {
  const enumerateDevices = () => Promise.resolve([]);
  vi.stubGlobal("navigator", { mediaDevices: { getUserMedia: ask, getDisplayMedia: ask, enumerateDevices } });
  local = new LocalMedia({ changed, problem, lost: vi.fn() });
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.clearAllMocks();
  asked.length = 0;
});

it("opens a microphone silent that was muted while the browser asked", async () => {
  const opened = local.open("microphone");
  local.mute(true);
  const track = await answer(0);
  expect(await opened).toBe("open");
  expect(track.enabled).toBe(false);
  expect(changed).toHaveReturnedWith(["microphone", false]);
  expect([local.holds("microphone"), local.sends("microphone")]).toEqual([true, false]);
  local.mute(false);
  expect(local.sends("microphone")).toBe(true);
});

it("takes another microphone silent while muted, from the first moment", async () => {
  const first = local.open("microphone");
  await answer(0);
  await first;
  local.mute(true);
  changed.mockClear();
  const second = local.open("microphone");
  await answer(1);
  await second;
  expect(changed.mock.results.map(({ value }) => value as unknown)).toEqual([["microphone", false]]);
});

it.each(["camera", "screen"] as const)("stops a %s that was switched off while the browser asked", async (source) => {
  const opened = local.open(source);
  local.close(source);
  changed.mockClear();
  const track = await answer(0);
  expect(await opened).toBe("superseded");
  expect([track.readyState, local.tracks[source], local.holds(source)]).toEqual(["ended", null, false]);
  expect(changed).not.toHaveBeenCalled();
});

it("keeps the device that was asked for last, whichever comes first", async () => {
  const first = local.open("camera");
  const second = local.open("camera");
  const late = await answer(1);
  expect(await second).toBe("open");
  const early = await answer(0);
  expect(await first).toBe("superseded");
  expect([early.readyState, late.readyState]).toEqual(["ended", "live"]);
  expect(local.tracks.camera).toBe(late);
});

it("tells no problem of what is not wanted any more, and stops all that comes after the end", async () => {
  const refused = local.open("camera");
  local.close("camera");
  const opened = local.open("microphone");
  local.closeAll();
  await vi.waitFor(() => expect(asked).toHaveLength(2));
  asked[0]?.refuse();
  const track = await answer(1);
  expect(await Promise.all([refused, opened, local.open("camera")])).toEqual(Array(3).fill("superseded"));
  expect(track.readyState).toBe("ended");
  expect(problem).not.toHaveBeenCalled();
  expect(asked).toHaveLength(2);
});
