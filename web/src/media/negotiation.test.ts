import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ANSWER_TIMEOUT_MS, Negotiator, type Candidate, type Description, type Signal } from "./negotiation";

/** Follows the signalling state machine of webrtc-pc section 4.3.1; each offer and answer has a number for an SDP. */
class FakeConnection {
  signalingState: RTCSignalingState = "stable";
  localDescription: Description | null = null;
  remoteDescription: Description | null = null;
  readonly candidates: string[] = [];
  restarts = 0;
  #made = 0;

  setLocalDescription(description?: RTCLocalSessionDescriptionInit): Promise<void> {
    if (description?.type === "rollback") {
      this.signalingState = "stable";
      return Promise.resolve();
    }
    const type = this.signalingState === "have-remote-offer" ? "answer" : "offer";
    this.localDescription = { type, sdp: `${type} ${++this.#made}` };
    this.signalingState = type === "offer" ? "have-local-offer" : "stable";
    return Promise.resolve();
  }

  setRemoteDescription(description: Description): Promise<void> {
    if (description.type === "answer" && this.signalingState !== "have-local-offer") {
      return Promise.reject(new Error("InvalidStateError"));
    }
    this.remoteDescription = description;
    this.signalingState = description.type === "offer" ? "have-remote-offer" : "stable";
    return Promise.resolve();
  }

  addIceCandidate({ candidate }: Candidate): Promise<void> {
    if (candidate === "of an ignored offer") return Promise.reject(new Error("OperationError"));
    this.candidates.push(candidate);
    return Promise.resolve();
  }

  restartIce(): void {
    this.restarts += 1;
  }
}

function side(polite: boolean) {
  const connection = new FakeConnection();
  const sent: Signal[] = [];
  const errors: unknown[] = [];
  const negotiator = new Negotiator({
    connection,
    polite,
    send: (signal) => sent.push(signal),
    onError: (error) => errors.push(error),
  });
  return { connection, sent, errors, negotiator };
}

const offer: Signal = { description: { type: "offer", sdp: "theirs" } };

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe("negotiation", () => {
  it("offers, and is stable once it was answered", async () => {
    const { negotiator, connection, sent } = side(false);
    await negotiator.needed();
    expect(sent).toEqual([{ description: { type: "offer", sdp: "offer 1" } }]);
    await negotiator.receive({ description: { type: "answer", sdp: "theirs" } });
    expect(connection.signalingState).toBe("stable");
  });

  it("answers an offer", async () => {
    const { negotiator, sent } = side(true);
    await negotiator.receive(offer);
    expect(sent).toEqual([{ description: { type: "answer", sdp: "answer 1" } }]);
  });

  it("settles two offers that meet: the polite side answers, the other keeps its own", async () => {
    const [ann, ben] = [side(false), side(true)];
    await Promise.all([ann.negotiator.needed(), ben.negotiator.needed()]);
    const [toBen, toAnn] = [ann.sent.splice(0), ben.sent.splice(0)];
    for (const signal of toBen) await ben.negotiator.receive(signal);
    for (const signal of toAnn) await ann.negotiator.receive(signal);
    for (const signal of ben.sent.splice(0)) await ann.negotiator.receive(signal);
    expect([ann.connection.signalingState, ben.connection.signalingState]).toEqual(["stable", "stable"]);
    expect(ann.connection.remoteDescription?.type).toBe("answer");
    expect([...ann.errors, ...ben.errors]).toEqual([]);
  });

  it("keeps candidates until there is a description", async () => {
    const { negotiator, connection } = side(true);
    await negotiator.receive({ candidate: { candidate: "early" } });
    expect(connection.candidates).toEqual([]);
    await negotiator.receive(offer);
    await negotiator.receive({ candidate: { candidate: "late" } });
    expect(connection.candidates).toEqual(["early", "late"]);
  });

  it("passes over candidates of an offer that it ignored, and reports others that fail", async () => {
    const { negotiator, connection, errors } = side(false);
    connection.remoteDescription = { type: "answer", sdp: "before" };
    await negotiator.needed();
    await negotiator.receive(offer);
    await negotiator.receive({ candidate: { candidate: "of an ignored offer" } });
    expect(errors).toEqual([]);
    await negotiator.receive({ description: { type: "answer", sdp: "theirs" } });
    await negotiator.receive({ candidate: { candidate: "of an ignored offer" } });
    expect(errors).toHaveLength(1);
  });

  it("takes an offer back that nobody answers, and starts ICE anew", async () => {
    const { negotiator, connection } = side(false);
    await negotiator.needed();
    await vi.advanceTimersByTimeAsync(ANSWER_TIMEOUT_MS);
    expect([connection.signalingState, connection.restarts]).toEqual(["stable", 1]);
  });

  it("passes over an answer to an offer that it took back", async () => {
    const { negotiator, errors } = side(false);
    await negotiator.receive({ description: { type: "answer", sdp: "late" } });
    expect(errors).toEqual([]);
  });

  it("restarts even where no fresh servers can be had", async () => {
    const { connection } = side(false);
    const errors: unknown[] = [];
    const negotiator = new Negotiator({
      connection,
      polite: false,
      send: () => undefined,
      beforeRestart: () => Promise.reject(new Error("offline")),
      onError: (error) => errors.push(error),
    });
    await negotiator.restart();
    expect([connection.restarts, errors.length]).toEqual([1, 1]);
  });

  it("does nothing once it is closed", async () => {
    const { negotiator, sent } = side(true);
    negotiator.close();
    await negotiator.receive(offer);
    expect(sent).toEqual([]);
  });
});
