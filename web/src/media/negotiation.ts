/**
 * Perfect negotiation (W3C webrtc-pc section 10.7) over any connection: either side may offer at any time, and of two offers that
 * meet the polite side takes its own back. What happens is done one thing after the other, so no step sees another half done.
 */

export interface Candidate {
  candidate: string;
  sdpMid?: string;
  sdpMLineIndex?: number;
  usernameFragment?: string;
}

export interface Description {
  type: RTCSdpType;
  sdp?: string;
}

/** What one side tells the other: one of the two. */
export interface Signal {
  description?: Description;
  candidate?: Candidate;
}

/** The part of an RTCPeerConnection that this needs. */
export interface NegotiatedConnection {
  readonly signalingState: RTCSignalingState;
  readonly localDescription: Description | null;
  readonly remoteDescription: Description | null;
  setLocalDescription(description?: RTCLocalSessionDescriptionInit): Promise<void>;
  setRemoteDescription(description: Description): Promise<void>;
  addIceCandidate(candidate: Candidate): Promise<void>;
  restartIce(): void;
}

export interface NegotiatorOptions {
  connection: NegotiatedConnection;
  /** Gives way when two offers meet: exactly one of the two sides is. */
  polite: boolean;
  send: (signal: Signal) => void;
  /** An offer has been taken: say what this side sends before it is answered. */
  beforeAnswer?: () => Promise<void>;
  /** Before ICE starts anew: take fresh servers. */
  beforeRestart?: () => Promise<void>;
  onError: (error: unknown) => void;
}

/** An offer may have been lost with the other's socket, and nobody else would ever offer again. */
export const ANSWER_TIMEOUT_MS = 6_000;

export class Negotiator {
  readonly #options: NegotiatorOptions;
  readonly #waiting: Candidate[] = [];
  #ignoring = false;
  #closed = false;
  #queue: Promise<void> = Promise.resolve();
  #answer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: NegotiatorOptions) {
    this.#options = options;
  }

  /** The connection says `negotiationneeded`. It says so again once it is stable, so elsewhere it waits. */
  needed(): Promise<void> {
    return this.#then(async () => {
      const { connection } = this.#options;
      if (connection.signalingState !== "stable") return;
      await connection.setLocalDescription();
      this.#tell();
      this.#expectAnswer();
    });
  }

  /** The other side's signals, in the order in which it sent them. */
  receive(signal: Signal): Promise<void> {
    return this.#then(async () => {
      if (signal.description !== undefined) await this.#described(signal.description);
      else if (signal.candidate !== undefined) await this.#candidate(signal.candidate);
    });
  }

  /** Find a new way to the other side. An offer that nobody answered is taken back first. */
  async restart(): Promise<void> {
    const { connection, beforeRestart, onError } = this.#options;
    // Not in the queue: signals of the other side do not wait for it, and it may fail while there is no server to ask.
    await beforeRestart?.().catch(onError);
    return this.#then(async () => {
      if (connection.signalingState === "have-local-offer") await connection.setLocalDescription({ type: "rollback" });
      connection.restartIce();
    });
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#answer);
  }

  async #described(description: Description): Promise<void> {
    const { connection, polite, beforeAnswer } = this.#options;
    const meets = description.type === "offer" && connection.signalingState !== "stable";
    this.#ignoring = meets && !polite;
    if (this.#ignoring) return;
    if (description.type === "answer" && connection.signalingState !== "have-local-offer") return; // to an offer taken back
    await connection.setRemoteDescription(description); // takes an own offer back by itself
    clearTimeout(this.#answer);
    for (const candidate of this.#waiting.splice(0)) await this.#add(candidate);
    if (description.type !== "offer") return;
    await beforeAnswer?.();
    await connection.setLocalDescription();
    this.#tell();
  }

  async #candidate(candidate: Candidate): Promise<void> {
    if (this.#options.connection.remoteDescription === null) this.#waiting.push(candidate);
    else await this.#add(candidate);
  }

  async #add(candidate: Candidate): Promise<void> {
    try {
      await this.#options.connection.addIceCandidate(candidate);
    } catch (error) {
      if (!this.#ignoring) throw error; // that of an offer which was not taken fits to nothing
    }
  }

  #tell(): void {
    const { localDescription } = this.#options.connection;
    if (localDescription === null) return;
    const { type, sdp } = localDescription;
    this.#options.send({ description: sdp === undefined ? { type } : { type, sdp } });
  }

  #expectAnswer(): void {
    clearTimeout(this.#answer);
    this.#answer = setTimeout(() => {
      if (this.#options.connection.signalingState === "have-local-offer") void this.restart();
    }, ANSWER_TIMEOUT_MS);
  }

  #then(step: () => Promise<void>): Promise<void> {
    this.#queue = this.#queue.then(async () => {
      if (this.#closed) return;
      try {
        await step();
      } catch (error) {
        // Closed meanwhile: whatever failed, nobody waits for it.
        if (!(this.#closed as boolean)) this.#options.onError(error);
      }
    });
    return this.#queue;
  }
}
