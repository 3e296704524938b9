/** The pictures: how each is reached, from wherever the page is. */
import { NOW, VIEWER } from "./company.mjs";
import { timeOf } from "./server.mjs";

const LAST = "I would cut the release at noon.";

async function openRoom({ page, rooms }, name, messageId) {
  const path = `/r/${rooms[name].id}`;
  await page.goto(messageId === undefined ? path : `${path}/m/${messageId}`);
  await page.getByRole("log").getByRole("article").first().waitFor();
}

async function room(world) {
  await openRoom(world, "engineering");
  await world.page.getByText(LAST).waitFor();
  const { socket } = world.people.priya;
  const tell = () => socket.emit("typing", { room_id: world.rooms.engineering.id, on: true });
  const telling = setInterval(tell, 1_000); // the first may come before the page's socket is there to hear it
  tell();
  await world.page
    .getByText("is typing")
    .waitFor()
    .finally(() => clearInterval(telling));
}

async function panel(world) {
  await openRoom(world, "engineering");
  await world.page.getByText(LAST).waitFor();
  await world.page.getByRole("button", { name: "Room details" }).click();
  await world.page.getByRole("tab", { name: "Members" }).click();
  await world.page.getByRole("complementary").getByText("Al Wu").waitFor();
}

async function code(world) {
  await openRoom(world, "engineering", world.known.fix);
  await world.page.locator("pre .hljs-keyword").first().waitFor();
}

async function search({ page }) {
  await page.goto("/search?q=sync");
  await page.locator("mark").first().waitFor();
}

async function switcher(world) {
  await openRoom(world, "design");
  await world.page.keyboard.press("Control+k");
  await world.page.getByPlaceholder("Room, person or action").fill("re");
}

async function settings({ page }) {
  await page.goto("/settings/appearance");
  await page.getByRole("radio", { name: "System" }).first().waitFor();
}

async function browse({ page }) {
  await page.goto("/rooms");
  await page.getByText("customer-interviews").last().waitFor();
}

async function sidebar({ page }) {
  await page.goto("/");
  await page.getByRole("navigation", { name: "Rooms" }).getByText("engineering").waitFor();
}

async function ring(world) {
  const { socket } = world.people.priya;
  const room_id = world.rooms["@priya"].id;
  const { call } = await socket.emitWithAck("call.start", { room_id, media: "video" });
  await world.page.getByRole("button", { name: "Accept with video" }).waitFor();
  return () => socket.emitWithAck("call.leave", { call_id: call.id });
}

async function incoming(world) {
  await room(world);
  return ring(world);
}

/** Both in their windows: the other one's camera is that of another browser. */
async function call(world) {
  await openRoom(world, "@priya");
  const other = await world.openCaller();
  await other.goto(`/r/${world.rooms["@priya"].id}`);
  await other.getByRole("button", { name: "Start a video call" }).click();
  await other.getByLabel("Your camera").waitFor();
  await other.getByRole("button", { name: "Call", exact: true }).click();
  await world.page.getByRole("button", { name: "Accept with video" }).click();
  await world.page.getByLabel(/^Picture of Priya/).waitFor();
  await world.page.getByRole("img", { name: "Connection: 4 bars of 4" }).waitFor();
  await world.page.clock.setFixedTime(timeOf(`0 ${NOW}`) + 253_000);
  return async () => {
    await other.getByRole("button", { name: "Leave the call" }).click();
    await other.close();
    await world.page.getByRole("button", { name: "Close" }).click();
  };
}

const both = ["light", "dark"];

/** Before signing in. */
export const outside = [
  {
    name: "login",
    open: async ({ page }) => {
      await page.goto("/login");
      await page.getByLabel("Username or e-mail").fill(VIEWER);
    },
    desktop: both,
    phone: ["light"],
  },
];

export const inside = [
  { name: "room", open: room, desktop: both, phone: both },
  { name: "panel", open: panel, desktop: ["light"] },
  { name: "code", open: code, desktop: ["dark"], phone: ["light"] },
  { name: "search", open: search, desktop: ["light"], phone: ["dark"] },
  { name: "switcher", open: switcher, desktop: both },
  { name: "settings", open: settings, desktop: ["light"], phone: ["dark"] },
  { name: "browse", open: browse, desktop: ["dark"], phone: ["light"] },
  { name: "sidebar", open: sidebar, phone: both },
  { name: "incoming", open: incoming, desktop: ["light"], phone: ["dark"] },
  { name: "call", open: call, desktop: ["dark"], phone: ["dark"] },
];
