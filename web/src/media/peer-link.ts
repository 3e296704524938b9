/**
 * The connection to the other one in a call.
 *
 * It has four lines in a fixed order, which the impolite side lays and the other takes over. Turning something on or off changes a
 * track of a line and never the lines, so a call negotiates once, and then only to find another way through the network.
 */

import { Negotiator, type Signal } from "./negotiation";
import { followNetwork } from "./network";
import { rate, SteadyQuality, type Quality } from "./quality";
import { measure, type Counters } from "./stats";

export const LINES = ["microphone", "camera", "screen", "screenAudio"] as const;
export type Line = (typeof LINES)[number];

const KINDS = { microphone: "audio", camera: "video", screen: "video", screenAudio: "audio" } as const;
/** Bits a second; without a bound a screen takes all that there is. */
const MAX_BITRATES: Partial<Record<Line, number>> = { camera: 1_700_000, screen: 2_500_000 };

/** `interrupted`: it was connected, and a way is sought again. */
export type LinkState = "connecting" | "connected" | "interrupted";

export interface PeerLinkOptions {
  polite: boolean;
  iceServers: RTCIceServer[];
  /** Only through a relay: the other side does not learn this one's address. */
  relayOnly: boolean;
  send: (signal: Signal) => void;
  /** Servers with credentials that are good for a restart. */
  freshIceServers: () => Promise<RTCIceServer[]>;
  onState: (state: LinkState) => void;
  /** The lines are there: each with the other's track, which may be silent. */
  onTracks: (tracks: Readonly<Record<Line, MediaStreamTrack>>) => void;
  onQuality: (quality: Quality) => void;
  onError: (error: unknown) => void;
}

/** A short interruption often heals by itself. */
const PATIENCE_MS = 2_500;
const SAMPLE_MS = 2_000;
/** Browsers begin with small pictures and find out what the network carries. */
const WARM_UP_MS = 15_000;
const SPEAKING_LEVEL = 0.02;

export class PeerLink {
  readonly #options: PeerLinkOptions;
  readonly #connection: RTCPeerConnection;
  readonly #negotiator: Negotiator;
  readonly #tracks: Record<Line, MediaStreamTrack | null>;
  readonly #lines = new Map<Line, RTCRtpTransceiver>();
  readonly #steady = new SteadyQuality();
  readonly #closing = new AbortController();
  #counters: Counters | undefined;
  #connectedAt: number | undefined;
  #patience: ReturnType<typeof setTimeout> | undefined;
  readonly #sampling: ReturnType<typeof setInterval>;

  constructor(tracks: Readonly<Record<Line, MediaStreamTrack | null>>, options: PeerLinkOptions) {
    this.#options = options;
    this.#tracks = { ...tracks };
    this.#connection = new RTCPeerConnection(this.#configuration(options.iceServers));
    this.#negotiator = new Negotiator({
      connection: this.#connection,
      polite: options.polite,
      send: options.send,
      beforeAnswer: () => this.#takeLines(),
      beforeRestart: async () =>
        this.#connection.setConfiguration(this.#configuration(await options.freshIceServers())),
      onError: options.onError,
    });
    this.#listen();
    this.#sampling = setInterval(() => void this.#sample(), SAMPLE_MS);
    if (!options.polite) this.#layLines();
  }

  receive(signal: Signal): void {
    void this.#negotiator.receive(signal);
  }

  /** Find a way through the network again. */
  restart(): void {
    clearTimeout(this.#patience);
    void this.#negotiator.restart();
  }

  /** Send another track, or none, on a line. */
  async setTrack(line: Line, track: MediaStreamTrack | null): Promise<void> {
    this.#tracks[line] = track;
    await this.#lines.get(line)?.sender.replaceTrack(track);
  }

  /** Whether the other one is heard speaking at this moment. */
  get speaking(): boolean {
    const [source] = this.#lines.get("microphone")?.receiver.getSynchronizationSources() ?? [];
    return (source?.audioLevel ?? 0) > SPEAKING_LEVEL;
  }

  close(): void {
    this.#closing.abort();
    clearTimeout(this.#patience);
    clearInterval(this.#sampling);
    this.#negotiator.close();
    this.#connection.close();
  }

  #configuration(iceServers: RTCIceServer[]): RTCConfiguration {
    return { iceServers, iceTransportPolicy: this.#options.relayOnly ? "relay" : "all", bundlePolicy: "max-bundle" };
  }

  #listen(): void {
    const connection = this.#connection;
    const { signal } = this.#closing;
    connection.addEventListener("negotiationneeded", () => void this.#negotiator.needed(), { signal });
    connection.addEventListener("connectionstatechange", () => this.#changed(), { signal });
    connection.addEventListener(
      "icecandidate",
      ({ candidate }) => {
        if (candidate === null || candidate.candidate === "") return;
        const { sdpMid, sdpMLineIndex, usernameFragment } = candidate;
        this.#options.send({
          candidate: {
            candidate: candidate.candidate,
            ...(sdpMid === null ? {} : { sdpMid }),
            ...(sdpMLineIndex === null ? {} : { sdpMLineIndex }),
            ...(usernameFragment === null ? {} : { usernameFragment }),
          },
        });
      },
      { signal },
    );
    // Another network: what was found before may be gone, long before timeouts say so.
    followNetwork(() => this.restart(), signal);
  }

  #changed(): void {
    const { connectionState } = this.#connection;
    clearTimeout(this.#patience);
    if (connectionState === "connected") {
      this.#connectedAt ??= Date.now();
      this.#options.onState("connected");
      return;
    }
    this.#options.onState(this.#connectedAt === undefined ? "connecting" : "interrupted");
    if (connectionState === "failed") this.restart();
    if (connectionState === "disconnected") this.#patience = setTimeout(() => this.restart(), PATIENCE_MS);
  }

  #layLines(): void {
    for (const line of LINES) {
      const track = this.#tracks[line];
      this.#use(line, this.#connection.addTransceiver(track ?? KINDS[line], { direction: "sendrecv" }));
    }
    this.#tellTracks();
  }

  /** The other side has laid the lines: send on them, too. */
  async #takeLines(): Promise<void> {
    if (this.#lines.size > 0) return;
    const laid = this.#connection.getTransceivers();
    for (const [index, line] of LINES.entries()) {
      const transceiver = laid[index];
      if (transceiver === undefined) continue;
      transceiver.direction = "sendrecv";
      this.#use(line, transceiver);
      await transceiver.sender.replaceTrack(this.#tracks[line]);
    }
    this.#tellTracks();
  }

  #use(line: Line, transceiver: RTCRtpTransceiver): void {
    this.#lines.set(line, transceiver);
    const maxBitrate = MAX_BITRATES[line];
    if (maxBitrate === undefined) return;
    const parameters = transceiver.sender.getParameters();
    parameters.encodings.forEach((encoding) => (encoding.maxBitrate = maxBitrate));
    // A browser that cannot do it sends as it sees fit.
    transceiver.sender.setParameters(parameters).catch(() => undefined);
  }

  #tellTracks(): void {
    const track = (line: Line) => this.#lines.get(line)?.receiver.track;
    const [microphone, camera, screen, screenAudio] = LINES.map(track);
    if (microphone === undefined || camera === undefined || screen === undefined || screenAudio === undefined) return;
    this.#options.onTracks({ microphone, camera, screen, screenAudio });
  }

  async #sample(): Promise<void> {
    if (this.#connection.connectionState !== "connected") return;
    const report = await this.#connection.getStats();
    const { measured, counters } = measure(
      report.values() as Iterable<Record<string, unknown>>,
      Date.now(),
      this.#counters,
    );
    this.#counters = counters;
    if (Date.now() - (this.#connectedAt ?? 0) < WARM_UP_MS) delete measured.limitation;
    if (!this.#closing.signal.aborted) this.#options.onQuality(this.#steady.add(rate(measured)));
  }
}
