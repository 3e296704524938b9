/** The others: sockets that write, react, edit, type, come and go. */

import { io, type Socket } from "socket.io-client";
import type { World } from "./world";

export type Act = "message" | "reaction" | "edit" | "typing" | "presence";

interface Said {
  id: string;
  by: Socket;
}

const KEPT = 30;
const ANSWER_MS = 20_000;
const TEXTS = [
  "Deployed, all green.",
  "Could somebody look at **the second chart**? It has `NaN` in it again, and I do not see where that comes from.",
  "See https://example.org/runs/4711 for the whole of it",
  "- one thing\n- another\n- and a third",
  "Yes :tada:",
  "> what he said\n\nI would rather wait until Monday: there is nobody here at the weekend who could take it back.",
  "```python\nprint(sum(price for price in prices if price > 0))\n```",
];

export class People {
  readonly #sockets: readonly Socket[];
  /** The last messages of each room. */
  readonly #said = new Map<string, Said[]>();
  #acts = 0;
  #failed = 0;

  private constructor(sockets: readonly Socket[]) {
    this.#sockets = sockets;
  }

  /** All but the first, who sits in front of the browser. */
  static async join({ origin, people }: World): Promise<People> {
    const [, ...others] = people;
    const sockets = others.map(({ access_token: token }) =>
      io(origin, { auth: { token }, transports: ["websocket"], forceNew: true, reconnection: false }),
    );
    await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once("ready", resolve))));
    return new People(sockets);
  }

  /** Do something in a room. It goes on by itself; `settled` says whether all of it has worked. */
  act(kind: Act, roomId: string): void {
    const turn = this.#acts++;
    const socket = this.#sockets[turn % this.#sockets.length];
    if (socket === undefined) throw new Error("nobody is there");
    this.#do(kind, roomId, socket, turn).catch(() => (this.#failed += 1));
  }

  /** Fail where something was refused. */
  check(): void {
    if (this.#failed > 0) throw new Error(`${this.#failed} of ${this.#acts} acts were refused or not answered`);
  }

  leave(): void {
    for (const socket of this.#sockets) socket.close();
  }

  async #do(kind: Act, roomId: string, socket: Socket, turn: number): Promise<void> {
    const said = this.#said.get(roomId) ?? [];
    const target = said[turn % Math.max(1, said.length)];
    const command = { room_id: roomId, client_id: crypto.randomUUID() };
    if (kind === "typing") socket.volatile.emit("typing", { room_id: roomId, on: true });
    else if (kind === "presence") await ask(socket, "presence.update", { state: turn % 2 === 0 ? "idle" : "active" });
    else if (kind === "message" || target === undefined) {
      const { id } = await ask(socket, "message.send", { ...command, text: TEXTS[turn % TEXTS.length] });
      if (id !== undefined) this.#said.set(roomId, [...said.slice(-KEPT + 1), { id, by: socket }]);
    } else if (kind === "reaction") {
      await ask(socket, "reaction.add", { ...command, id: target.id, emoji: ["👍", "🎉", "👀"][turn % 3] });
    } else {
      await ask(target.by, "message.edit", {
        ...command,
        id: target.id,
        text: `Better: ${TEXTS[turn % TEXTS.length]}`,
      });
    }
  }
}

async function ask(socket: Socket, event: string, payload: object): Promise<{ id?: string }> {
  const answer = (await socket.timeout(ANSWER_MS).emitWithAck(event, payload)) as { ok: boolean; id?: string };
  if (!answer.ok) throw new Error(`${event} was refused: ${JSON.stringify(answer)}`);
  return answer;
}

/** Run `act` so many times a second, at times that do not wait for anything, for so long. */
export async function steadily(perSecond: number, seconds: number, act: (n: number) => void): Promise<void> {
  const began = performance.now();
  for (let n = 0; n < perSecond * seconds; n++) {
    const wait = began + (n * 1_000) / perSecond - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    act(n);
  }
}
