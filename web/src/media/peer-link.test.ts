// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { PeerLink } from "./peer-link";

const restartIce = vi.fn();

class Connection extends EventTarget {
  readonly signalingState = "stable";
  readonly connectionState = "connected";
  readonly restartIce = restartIce;
  setConfiguration() {
    return undefined;
  }
  close() {
    return undefined;
  }
}

const network = Object.assign(new EventTarget(), { type: "wifi" });
function become(type: string): void {
  network.type = type;
  network.dispatchEvent(new Event("change"));
}

let link: PeerLink;
beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("RTCPeerConnection", Connection);
  vi.stubGlobal("navigator", { connection: network });
  network.type = "wifi";
  link = new PeerLink(
    { microphone: null, camera: null, screen: null, screenAudio: null },
    {
      polite: true,
      iceServers: [],
      relayOnly: false,
      send: vi.fn(),
      freshIceServers: () => Promise.resolve([]),
      onState: vi.fn(),
      onTracks: vi.fn(),
      onQuality: vi.fn(),
      onError: vi.fn(),
    },
  );
});
afterEach(() => {
  link.close();
  restartIce.mockClear();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

async function restarts(): Promise<number> {
  await vi.advanceTimersByTimeAsync(0);
  return restartIce.mock.calls.length;
}

it("finds another way when the device goes from one network into another, or is back in one", async () => {
  become("cellular");
  expect(await restarts()).toBe(1);
  become("none");
  expect(await restarts()).toBe(1);
  window.dispatchEvent(new Event("online"));
  expect(await restarts()).toBe(2);
});

it("stays on its way when the browser only thinks otherwise of the speed", async () => {
  become("wifi");
  expect(await restarts()).toBe(0);
});

it("looks after nothing once it is closed", async () => {
  link.close();
  become("cellular");
  window.dispatchEvent(new Event("online"));
  expect(await restarts()).toBe(0);
});
