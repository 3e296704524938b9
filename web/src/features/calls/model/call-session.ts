/** One call from its start to its end in this tab: the server's events, the connection to the other side, and the devices. */

import { PeerLink, type Line, type LinkState, type Signal } from "@/media";
import { holdUpdates } from "@/lib/app-update";
import { reportError } from "@/lib/report-error";
import {
  CommandRefused,
  emitCall,
  onCallEvent,
  type CallEvent,
  type CallJoined,
  type CallMedia,
  type IceServer,
  type ParticipantView,
} from "@/realtime";
import { desk, updateActive, type CallEnd } from "./desk";
import { useDevicePreferences } from "./device-preferences";
import { forgetFarewell, sayFarewell } from "./farewell";
import { LocalMedia, type Source } from "./local-media";

export interface CallOptions {
  roomId: string;
  media: CallMedia;
  /** Join this call; without it, start the room's. */
  callId?: string;
  /** What to send from the first moment. */
  microphone: boolean;
  camera: boolean;
  /** Ends this tab's claim on being the one with a call. */
  release: () => void;
}

/** How long the end of a call is shown. */
const FAREWELL_MS = 5_000;

const REFUSALS: Record<string, CallEnd | undefined> = {
  call_full: "full",
  already_in_call: "already",
  nobody_to_call: "nobody",
  forbidden: "forbidden",
  removed_from_call: "kicked",
  call_not_found: "cancelled",
};

export class CallSession {
  readonly #options: CallOptions;
  readonly #local: LocalMedia;
  readonly #stops: (() => void)[];
  #callId: string | undefined;
  #me: string | undefined;
  #iceServers: IceServer[] = [];
  #link: PeerLink | undefined;
  #peer: string | undefined;
  /** What was told before this side knew that it is in. */
  #early: CallEvent[] = [];
  #over = false;

  constructor(options: CallOptions) {
    this.#options = options;
    this.#local = new LocalMedia({
      changed: (line, track) => this.#trackChanged(line, track),
      problem: (source, problem) => updateActive(({ problems }) => ({ problems: { ...problems, [source]: problem } })),
      lost: (source) => void this.#lost(source),
    });
    const leave = () => this.leave();
    window.addEventListener("pagehide", leave);
    this.#stops = [
      onCallEvent((event) => this.#told(event)),
      holdUpdates("call"),
      options.release,
      () => window.removeEventListener("pagehide", leave),
    ];
    const { roomId, media, microphone, camera } = options;
    desk.setState({
      active: {
        roomId,
        media,
        others: [],
        ringing: options.callId === undefined,
        own: {},
        sending: { microphone, camera, screen: false },
        problems: {},
        view: "full",
      },
    });
  }

  /** Open the devices and take part; what goes wrong is told by the desk. */
  async start(): Promise<void> {
    const { callId, microphone, camera } = this.#options;
    this.#local.mute(!microphone);
    const opened = Promise.all([microphone && this.#take("microphone"), camera && this.#take("camera")]);
    // Who calls has answered the browser's questions before it rings; who is called is not kept waiting by them.
    if (callId === undefined) await opened;
    if (!this.#over) await this.#join(callId);
    await opened;
    this.#tellSending();
  }

  /** Muting and unmuting, camera and screen. */
  async toggle(source: Source): Promise<void> {
    const on = desk.getState().active?.sending[source] !== true;
    if (source === "microphone") this.#local.mute(!on);
    else if (!on) this.#local.close(source);
    if (on && !this.#local.holds(source)) await this.#take(source);
    else this.#setSending(source, on);
  }

  /** Another device was chosen. */
  async reopen(source: "microphone" | "camera"): Promise<void> {
    if (source === "camera" && desk.getState().active?.sending.camera !== true) return;
    await this.#take(source);
  }

  /** The connection to the server is back: go on as the one who one was. */
  async resume(): Promise<void> {
    if (this.#callId === undefined || this.#over) return;
    await this.#join(this.#callId, this.#me);
    this.#tellSending();
    this.#link?.restart();
  }

  leave(): void {
    if (this.#over) return;
    if (this.#callId !== undefined) sayFarewell("call.leave", this.#callId);
    this.#end("left");
  }

  get speaking(): boolean {
    return this.#link?.speaking === true;
  }

  /** Open a device. What is shown afterwards is what goes out then, whatever was wanted before. */
  async #take(source: Source): Promise<void> {
    const outcome = await this.#local.open(source);
    if (outcome === "open") this.#setSending(source, this.#local.sends(source));
    if (outcome !== "failed" || this.#local.tracks[source] !== null) return;
    if (source === "microphone") this.#local.mute(true);
    this.#setSending(source, false);
  }

  async #join(callId: string | undefined, participantId?: string): Promise<void> {
    const { roomId, media } = this.#options;
    try {
      const joined =
        callId === undefined
          ? await emitCall("call.start", { room_id: roomId, media })
          : await emitCall("call.join", {
              call_id: callId,
              ...(participantId === undefined ? {} : { participant_id: participantId }),
            });
      if (this.#over) sayFarewell("call.leave", joined.call.id);
      else this.#joined(joined);
    } catch (error) {
      if (error instanceof CommandRefused) this.#end(this.#me === undefined ? refusal(error) : "lost");
      else if (this.#me === undefined) this.#end("unreachable");
      // In a call that goes on without the server, until it is reached again.
    }
  }

  #joined({ call, participant_id: me, ice_servers: iceServers, participants }: CallJoined): void {
    const others = participants.filter(({ id }) => id !== me);
    if (me !== this.#me) this.#unlink();
    forgetFarewell(call.id); // one is in it again
    this.#callId = call.id;
    this.#me = me;
    this.#iceServers = iceServers;
    updateActive(({ since }) => ({
      callId: call.id,
      me,
      others,
      ringing: call.state === "ringing",
      // The server's clock need not be ours.
      ...(since === undefined && call.answered_at !== null ? { since: Math.min(Date.now(), call.answered_at) } : {}),
    }));
    this.#meet(others[0]);
    this.#early.splice(0).forEach((event) => this.#told(event));
  }

  #told(event: CallEvent): void {
    if (this.#over) return;
    if (this.#callId === undefined) return void this.#early.push(event);
    switch (event.name) {
      case "call.participant.joined":
        if (event.payload.call_id === this.#callId) this.#arrived(event.payload.participant);
        return;
      case "call.participant.updated":
        if (event.payload.call_id === this.#callId) this.#changed(event.payload.participant);
        return;
      case "call.participant.left":
        if (event.payload.call_id !== this.#callId) return;
        if (event.payload.participant_id === this.#me) this.#end(event.payload.reason);
        else this.#gone(event.payload.participant_id);
        return;
      case "call.signal":
        if (event.payload.call_id === this.#callId && event.payload.from === this.#peer) {
          this.#link?.receive(event.payload);
        }
        return;
      case "call.ended":
        if (event.payload.call_id === this.#callId) this.#end(event.payload.reason);
        return;
      default:
        return; // ringing is no matter of a call that one is in
    }
  }

  #arrived(participant: ParticipantView): void {
    if (participant.id === this.#me) return;
    updateActive(({ others, since }) => ({
      others: [...others.filter(({ id }) => id !== participant.id), participant],
      ringing: false,
      since: since ?? Date.now(),
    }));
    this.#meet(participant);
  }

  #changed(participant: ParticipantView): void {
    const before = desk.getState().active?.others.find(({ id }) => id === participant.id);
    updateActive(({ others }) => ({ others: others.map((one) => (one.id === participant.id ? participant : one)) }));
    // Signals to it were refused while it was away.
    if (before?.state === "reconnecting" && participant.state === "connected") this.#link?.restart();
  }

  #gone(participantId: string): void {
    if (participantId === this.#peer) this.#unlink();
    updateActive(({ others }) => ({ others: others.filter(({ id }) => id !== participantId) }));
  }

  /** Connect with the other one, unless it is the same as before. */
  #meet(other: ParticipantView | undefined): void {
    const me = this.#me;
    if (me === undefined || other?.id === this.#peer) return;
    this.#unlink();
    if (other === undefined) return;
    const to = other.id;
    this.#peer = to;
    const relayed = this.#iceServers.some(({ urls }) => urls.some((url) => url.startsWith("turn")));
    updateActive(() => ({ link: "connecting" }));
    this.#link = new PeerLink(this.#local.tracks, {
      polite: me > to,
      iceServers: this.#iceServers,
      relayOnly: relayed && useDevicePreferences.getState().relayOnly,
      send: (signal) => this.#signal(to, signal),
      freshIceServers: () => this.#freshIceServers(),
      onState: (link: LinkState) => updateActive(() => ({ link })),
      onTracks: (remote) => updateActive(() => ({ remote })),
      onQuality: (quality) => updateActive(() => ({ quality })),
      onError: (error) => reportError(error, "call"),
    });
  }

  #unlink(): void {
    this.#link?.close();
    this.#link = undefined;
    this.#peer = undefined;
    updateActive(() => ({ link: undefined, remote: undefined, quality: undefined }));
  }

  #signal(to: string, signal: Signal): void {
    const callId = this.#callId;
    if (callId === undefined) return;
    // Refused or lost: both sides start ICE anew once whoever was away is back.
    emitCall("call.signal", { call_id: callId, to, ...signal }).catch(() => undefined);
  }

  async #freshIceServers(): Promise<IceServer[]> {
    if (this.#callId !== undefined && this.#me !== undefined) {
      const joined = await emitCall("call.join", { call_id: this.#callId, participant_id: this.#me });
      this.#iceServers = joined.ice_servers;
    }
    return this.#iceServers;
  }

  #trackChanged(line: Line, track: MediaStreamTrack | null): void {
    updateActive(({ own }) => ({ own: { ...own, [line]: track ?? undefined } }));
    this.#link?.setTrack(line, track).catch((error: unknown) => reportError(error, "call"));
  }

  /** A device went away: take another of its kind. A screen that is shared no more is just that. */
  async #lost(source: Source): Promise<void> {
    this.#local.close(source);
    if (source === "screen") this.#setSending(source, false);
    else await this.#take(source);
  }

  #setSending(source: Source, on: boolean): void {
    if (this.#over) return;
    updateActive(({ sending }) => ({ sending: { ...sending, [source]: on } }));
    this.#tellSending();
  }

  #tellSending(): void {
    const sending = desk.getState().active?.sending;
    if (this.#callId === undefined || this.#over || sending === undefined) return;
    const { microphone: audio, camera: video, screen } = sending;
    // What is lost is said again after the reconnect.
    emitCall("call.mute", { call_id: this.#callId, audio, video, screen }).catch(() => undefined);
  }

  #end(ended: CallEnd): void {
    if (this.#over) return;
    this.#unlink();
    this.#over = true;
    this.#local.closeAll();
    this.#stops.forEach((stop) => stop());
    updateActive(() => ({ ended, own: {} }));
    const last = desk.getState().active;
    setTimeout(() => {
      if (desk.getState().active === last) desk.setState({ active: undefined });
    }, FAREWELL_MS);
  }
}

function refusal({ error }: CommandRefused): CallEnd {
  return REFUSALS[error.code] ?? "failed";
}
