/** From a command of the outbox to its event on the wire. */

import type { MessageRef, OutboxEntry } from "./outbox-rules";
import type { Placed } from "./schema.gen";
import type { Link } from "./socket";

/**
 * Send a command whose targets all have ids, and wait for its acknowledgement.
 *
 * @throws {CommandRefused} the server said no
 * @throws {NoAnswer} nothing is known of what was done
 */
export function sendEntry(link: Pick<Link, "request">, entry: OutboxEntry): Promise<Placed> {
  const { roomId: room_id, clientId: client_id, command } = entry;
  const base = { room_id, client_id };
  switch (command.kind) {
    case "message.send": {
      const reply = command.replyTo === undefined ? {} : { reply_to: idOf(command.replyTo) };
      return link.request("message.send", { ...base, text: command.text, ...reply });
    }
    case "message.edit":
      return link.request("message.edit", { ...base, id: idOf(command.target), text: command.text });
    case "message.delete":
    case "message.pin":
    case "message.unpin":
      return link.request(command.kind, { ...base, id: idOf(command.target) });
    case "reaction.add":
    case "reaction.remove":
      return link.request(command.kind, { ...base, id: idOf(command.target), emoji: command.emoji });
  }
}

function idOf(ref: MessageRef): string {
  return "id" in ref ? ref.id : ref.clientId;
}
