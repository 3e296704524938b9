// What the clients of no-loss-clients.mjs make of the events of a room.

// Events as they were applied and messages as they are shown, each kept once: two that are to be the same and are not are two.
class Pool {
  constructor(name) {
    this.name = name;
    this.all = [];
    this.places = new Map();
  }

  place(key, value) {
    const text = JSON.stringify(value);
    const alike = this.places.get(key) ?? [];
    const found = alike.find((place) => this.all[place] === text);
    if (found !== undefined) return found;
    this.places.set(key, [...alike, this.all.length]);
    return this.all.push(text) - 1;
  }

  tell() {
    for (let start = 0; start < this.all.length; start += 1000)
      process.stdout.write(`{"event": "${this.name}", "${this.name}": [${this.all.slice(start, start + 1000)}]}\n`);
  }
}

export const entries = new Pool("entries");
export const states = new Pool("states");
export const placeEntry = ({ room_id, seq, id, sender_id, client_id, type, data }) => {
  const { text = null, message_id = null, emoji = null, user_id = null } = data;
  return entries.place(`${room_id} ${seq}`, { room_id, seq, id, sender_id, client_id, text, type, message_id, emoji, user_id });
};
export const placeState = (state) => states.place(`${state.id} ${state.version}`, state);

// The twin of src/parlour/chat/fold.py, without mentions and pins: a message after an event; the same object where that changes nothing.
export function fold(message, { room_id, id, seq, type, sender_id, data }) {
  if (type === "message.created")
    return message ?? { room_id, id, sender_id, version: seq, text: data.text ?? "", edited: false, deleted: false, reactions: [] };
  if (!message || seq <= message.version || message.deleted) return message;
  const mine = ([emoji, user]) => emoji === data.emoji && user === sender_id;
  const there = message.reactions.some(mine);
  if (type === "message.edited" && sender_id === message.sender_id)
    return { ...message, version: seq, text: data.text ?? "", edited: true };
  if (type === "message.deleted") return { ...message, version: seq, text: "", deleted: true, reactions: [] };
  if (type === "reaction.added" && !there)
    return { ...message, version: seq, reactions: [...message.reactions, [data.emoji, sender_id]].sort() };
  if (type === "reaction.removed" && there)
    return { ...message, version: seq, reactions: message.reactions.filter((each) => !mine(each)) };
  return message;
}

// A message of a page, as the fold has it.
export function paged({ room_id, id, sender_id, version, text, edited_at, deleted_at, reactions = {} }) {
  const pairs = Object.entries(reactions).flatMap(([emoji, people]) => people.map((user) => [emoji, user]));
  return { room_id, id, sender_id, version, text, edited: edited_at != null, deleted: deleted_at != null, reactions: pairs.sort() };
}
