/** Every view of the client, and how one comes to see it. */

import type { Account } from "./account";
import type { Person } from "./person";
import type { Stage } from "./stage";

/** What there is to see: two people with names that nothing breaks, and a room with all that a message can be. */
export interface Scene {
  stage: Stage;
  ann: Account;
  ben: Account;
  /** Ann at some page; she stays, so that a view costs a page and not a browser with nothing kept. */
  person: Person;
  room: string;
  /** Public, and Ann is not in it. */
  unjoined: string;
  /** One who is in a call, from the first view of it on. */
  inCall?: Person;
}

const LONG = "Unbreakable".repeat(6).slice(0, 60);

export async function setScene(stage: Stage): Promise<Scene> {
  const [ann, ben] = [await stage.account("ann", LONG), await stage.account("ben", LONG.toLowerCase())];
  const room = await ann.room(LONG, [ben]);
  const unjoined = await ben.room(`${LONG}2`);
  const first = await ben.say(room, `Hello @${ann.name}, see **this** and \`that\` at ${stage.server.origin}/${LONG}`);
  await ann.say(
    room,
    "```ts\nconst long = 'a line of code that is longer than any phone is wide, and goes on and on';\n```",
    first,
  );
  await ben.say(room, `> quoted\n\n- one\n- two ~~three~~\n\n${LONG}${LONG}${LONG}`);
  const path = `/api/rooms/${room}/messages/${first}`;
  await ann.send("PUT", `${path}/reactions/${encodeURIComponent("🚀")}`);
  await ben.send("PUT", `${path}/reactions/${encodeURIComponent("👍")}`);
  await ann.send("PUT", `${path}/pin`);
  await ben.say(await ann.direct(ben), "only for you");
  return { stage, ann, ben, person: await stage.enter(ann, { stays: true }), room, unjoined };
}

type Open = (scene: Scene) => Promise<Person>;

const stranger =
  (path: string): Open =>
  async ({ stage }) => {
    const person = await stage.stranger();
    await person.page.goto(path);
    await person.page.getByRole("heading", { level: 1 }).waitFor();
    return person;
  };

const at =
  (path: string | ((scene: Scene) => string), text: string): Open =>
  async (scene) => {
    const { person } = scene;
    await person.page.goto(typeof path === "string" ? path : path(scene));
    await person.page.getByText(text).first().waitFor();
    return person;
  };

const inRoom: Open = at(({ room }) => `/r/${room}`, "quoted");
const panel = (name: string, text: string): Open => at(({ room }) => `/r/${room}?panel=${name}`, text);
const settings = (section: string, text: string): [string, Open] => [
  `settings, ${section}`,
  at(`/settings/${section}`, text),
];

const pressing =
  (keys: string, dialog: string): Open =>
  async (scene) => {
    const person = await inRoom(scene);
    await person.page.keyboard.press(keys);
    await person.page.getByRole("dialog", { name: dialog }).waitFor();
    return person;
  };

const emptyHome: Open = async ({ stage }) => {
  const person = await stage.enter(await stage.account("new"));
  await person.page.getByRole("heading", { name: "Welcome to Parlour" }).waitFor();
  return person;
};

const createRoom: Open = async (scene) => {
  const person = await inRoom(scene);
  await person.rooms.getByRole("button", { name: "Create a room" }).click();
  await person.page.getByRole("dialog", { name: "Create a room" }).waitFor();
  return person;
};

const offline: Open = async ({ stage, ann, room }) => {
  const person = await stage.enter(ann, { path: `/r/${room}` });
  await person.page.getByText("quoted").first().waitFor();
  await person.context.setOffline(true);
  await person.page.getByText("You are offline. What you write", { exact: false }).last().waitFor();
  return person;
};

/** One who calls, and another at whom it rings; new ones each time, since who has left a call is busy for a while. */
async function ringing({ stage }: Scene, stays: boolean): Promise<[Person, Person]> {
  const [ann, ben] = [await stage.account("caller", LONG), await stage.account("called", LONG.toLowerCase())];
  const visit = { path: `/r/${await ann.direct(ben)}`, stays };
  const [caller, called] = await Promise.all([stage.enter(ann, visit), stage.enter(ben, visit)]);
  await caller.button("Start a call").click();
  await called.button("Accept").waitFor();
  return [caller, called];
}

const incomingCall: Open = async (scene) => (await ringing(scene, false))[1];

const call: Open = async (scene) => {
  if (scene.inCall !== undefined) return scene.inCall;
  const [caller, called] = await ringing(scene, true);
  await called.button("Accept").click();
  await Promise.all([caller, called].map((person) => person.button("Leave the call").waitFor()));
  scene.inCall = caller;
  return caller;
};

const smallCall: Open = async (scene) => {
  const person = await call(scene);
  await person.button("Make small").click();
  await person.button("Show the call").waitFor();
  return person;
};

export const VIEWS: readonly [string, Open][] = [
  ["signing in", stranger("/login")],
  ["registering", stranger("/register")],
  ["the first page of a newcomer", emptyHome],
  ["no room chosen", at("/", "Pick a conversation")],
  ["the list of public rooms", at("/rooms", `${LONG}2`)],
  ["making a room", createRoom],
  ["a room", inRoom],
  ["a room's panel", panel("details", "No topic")],
  ["a room's members", panel("members", "Owner")],
  ["a room's pins", panel("pins", "Hello")],
  ["search", at("/search?q=hello", "Hello")],
  ["the switcher", pressing("Control+k", "Jump to a room or person")],
  ["the sheet of shortcuts", pressing("Control+/", "Keyboard shortcuts")],
  settings("profile", "Display name"),
  settings("appearance", "Density"),
  settings("notifications", "Quiet hours"),
  settings("calls", "Microphone"),
  settings("language", "Time format"),
  settings("devices", "This device"),
  settings("password", "Present password"),
  ["a room to join", at(({ unjoined }) => `/r/${unjoined}`, "1 member")],
  ["a room that is not there", at("/r/01890000-0000-7000-8000-000000000000", "There is no such room for you")],
  ["an address of nothing", at("/nowhere", "There is nothing here")],
  ["no network", offline],
  ["an incoming call", incomingCall],
  ["a call", call],
  ["a call in the corner", smallCall],
];
