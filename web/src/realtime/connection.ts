/**
 * When to connect, and how: a state machine without sockets, clocks or chance of its own.
 *
 * `step(state, input, chance)` answers with the next state and what is to be done. The browser's "offline" is believed for the pace
 * of trying only: a server on the same machine can be reached without any network.
 */

import type { ConnectionStatus } from "./types";
import type { ErrorBody } from "./schema.gen";

export type Transport = "websocket" | "polling";

export interface LinkState {
  readonly status: ConnectionStatus;
  readonly transport?: Transport | undefined;
  /** Whether an attempt is under way. */
  readonly trying: boolean;
  /** Attempts that failed in a row. */
  readonly failures: number;
  /** Whether the device says that it has a network. */
  readonly network: boolean;
  /** Something on the way swallows WebSockets: begin with long-polling and upgrade if that works. */
  readonly pollingFirst: boolean;
}

export type LinkInput =
  | { type: "start" }
  | { type: "opened"; transport: Transport }
  | { type: "transport"; transport: Transport }
  | { type: "failed"; timedOut?: boolean; error?: ErrorBody }
  | { type: "lost"; draining: boolean }
  | { type: "network"; up: boolean }
  /** The page is looked at again, or the timer of the last `wait` has rung. */
  | { type: "woken" }
  | { type: "due" }
  | { type: "displaced" }
  | { type: "ended" };

export type LinkEffect =
  | { do: "connect"; transports: Transport[] }
  | { do: "close" }
  | { do: "wait"; ms: number }
  /** Ask whether the server is still there: a device that slept may hold a dead connection. */
  | { do: "probe" }
  /** Get another access token before the next attempt. */
  | { do: "renew" };

export const initialLink: LinkState = {
  status: "connecting",
  trying: false,
  failures: 0,
  network: true,
  pollingFirst: false,
};

const FIRST_WAIT = 500;
const LONGEST_WAIT = 30_000;
const STALE_TOKEN: ReadonlySet<string> = new Set(["token_expired", "token_invalid", "unauthenticated"]);

/** The next state, and what to do; `chance` is random in [0, 1). */
export function step(state: LinkState, input: LinkInput, chance: number): [LinkState, LinkEffect[]] {
  switch (input.type) {
    case "start":
      return state.trying || state.status === "online" ? [state, []] : connect({ ...state, failures: 0 });
    case "opened":
      return [{ ...state, status: "online", trying: false, failures: 0, transport: input.transport }, []];
    case "transport":
      // An upgrade has shown that WebSockets do work here.
      return [{ ...state, transport: input.transport, pollingFirst: input.transport === "polling" }, []];
    case "failed":
      return failed(state, input, chance);
    case "lost": {
      if (state.status !== "online") return [state, []];
      const after: LinkState = { ...state, status: input.draining ? "draining" : "reconnecting", transport: undefined };
      // A server that restarts sends everybody away at once: they shall not come back at once.
      return [after, [{ do: "wait", ms: (input.draining ? 500 : 100) + 1_000 * chance }]];
    }
    case "network":
      return network({ ...state, network: input.up }, state);
    case "woken":
      if (state.status === "online") return [state, [{ do: "probe" }]];
      return mayTry(state) ? connect(state) : [state, []];
    case "due":
      return waits(state) ? connect(state) : [state, []];
    case "displaced":
      return [{ ...state, status: "displaced", trying: false, transport: undefined }, [{ do: "close" }]];
    case "ended":
      return [{ ...state, status: "signed-out", trying: false, transport: undefined }, [{ do: "close" }]];
  }
}

function mayTry(state: LinkState): boolean {
  return !state.trying && state.status !== "online" && state.status !== "signed-out";
}

/** Whether a timer is to bring the connection back. */
function waits(state: LinkState): boolean {
  return mayTry(state) && state.status !== "displaced";
}

function connect(state: LinkState): [LinkState, LinkEffect[]] {
  const { status } = state;
  const shown = status === "connecting" || status === "draining" || status === "offline" ? status : "reconnecting";
  const transports: Transport[] = state.pollingFirst ? ["polling", "websocket"] : ["websocket", "polling"];
  return [{ ...state, status: shown, trying: true }, [{ do: "connect", transports }]];
}

function failed(state: LinkState, input: LinkInput & { type: "failed" }, chance: number): [LinkState, LinkEffect[]] {
  if (!state.trying) return [state, []];
  const failures = state.failures + 1;
  const after: LinkState = {
    ...state,
    status: state.network ? (state.status === "draining" && failures < 5 ? "draining" : "reconnecting") : "offline",
    trying: false,
    failures,
    transport: undefined,
    pollingFirst: input.timedOut === true ? !state.pollingFirst : state.pollingFirst,
  };
  const backoff = state.network ? Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** failures) : LONGEST_WAIT;
  const told = (input.error?.retry_after ?? 0) * 1_000;
  const wait: LinkEffect = { do: "wait", ms: told + backoff * (0.5 + chance / 2) };
  return [after, STALE_TOKEN.has(input.error?.code ?? "") ? [{ do: "renew" }, wait] : [wait]];
}

function network(state: LinkState, before: LinkState): [LinkState, LinkEffect[]] {
  if (state.network === before.network) return [state, []];
  if (state.network) return waits(state) ? connect(state) : [state, []];
  if (state.status !== "online") return [waits(state) ? { ...state, status: "offline" } : state, []];
  const [next, effects] = connect({ ...state, status: "reconnecting", transport: undefined });
  return [next, [{ do: "close" }, ...effects]];
}
