/** A small company on an ordinary Thursday, seen by Mara: what the pictures show. */

/** The day of the pictures and the time at which they are taken, in the company's time zone. */
export const TODAY = "2026-05-21";
export const NOW = "10:42";
export const UTC_OFFSET = "+02:00";
export const TIME_ZONE = "Europe/Berlin";

/** The first one has the server, the viewer comes second. */
export const PEOPLE = {
  jonas: "Jonas Weber",
  mara: "Mara Lindqvist",
  priya: "Priya Raghunathan",
  olena: "Олена Коваль",
  alexandra: "Alexandra Papadopoulou-Christodoulou",
  youssef: "يوسف الحداد",
  tomas: "Tomás Ferreira",
  wu: "Al Wu",
};

export const VIEWER = "mara";
export const CALLER = "priya";

/** Who has the app open besides the viewer, and who has it open but went away. */
export const ONLINE = ["jonas", "priya", "alexandra", "wu"];
export const IDLE = ["olena"];

const EVERYBODY = Object.keys(PEOPLE);

/** The owner is the first of the members. */
export const ROOMS = {
  general: { topic: "What everybody should know", members: EVERYBODY },
  engineering: {
    topic: "The sync service, the apps, and what breaks them. Runbook: https://docs.example.org/runbook",
    members: ["jonas", "mara", "priya", "olena", "wu", "tomas", "alexandra"],
  },
  design: { topic: "Work in progress, early and often", members: ["mara", "alexandra", "priya", "wu"] },
  releases: { topic: "One message a release", members: EVERYBODY },
  support: { topic: "What customers ask", members: ["tomas", "mara", "jonas", "youssef"] },
  "coffee-and-lunch": { topic: "Where and when", members: EVERYBODY },
  "office-berlin": { topic: "Keys, parcels, plants", members: ["youssef", "mara", "jonas", "alexandra"] },
  hiring: { kind: "private", topic: "Two open places", members: ["mara", "jonas", "alexandra"] },
  books: { topic: "What we read", members: ["olena", "wu", "youssef"] },
  "customer-interviews": { topic: "Notes, and who wants to come along", members: ["alexandra", "tomas"] },
};

/** Direct conversations of the viewer. */
export const DIRECT = ["priya", "olena", "alexandra", "youssef"];

const FIX = `The page size was taken before the filter, so a page could come back empty:

\`\`\`ts
export async function* pages(room: Room, from: number, size = 200) {
  for (let seq = from; seq < room.head; seq += size) {
    const page = await room.read(seq, Math.min(seq + size, room.head));
    // An empty page is not the end: everything in it may be deleted.
    if (page.length > 0) yield page.filter((event) => !event.hidden);
  }
}
\`\`\``;

const TRACE = `It is the same as on Monday. From the log:

\`\`\`
10:02:11 WARN  sync  room=8f31 gap=512 reset=true
10:02:11 WARN  sync  room=8f31 gap=640 reset=true
10:02:14 INFO  sync  room=8f31 caught up in 212 ms
\`\`\``;

/** `day hh:mm`, the day counted from today; who, text; then what happened to it. */
export const MESSAGES = {
  general: [
    ["-2 09:00", "jonas", "Good morning. The quarterly numbers are in the wiki: https://wiki.example.org/q1"],
    ["-1 15:20", "youssef", "صباح الخير! The new lease is signed, we keep the office."],
    [
      "0 08:55",
      "alexandra",
      "All hands is at 14:00 today, in the large room and here.",
      { react: { "👍": ["wu", "jonas"] } },
    ],
    ["0 10:20", "tomas", "@mara can you show the new onboarding there? Five minutes are enough."],
  ],
  engineering: [
    [
      "-1 16:02",
      "olena",
      "Two customers report that the app **opens empty** after a weekend offline. I can reproduce it: more than 500 events behind, then a reload.",
    ],
    ["-1 16:05", "priya", "Is that the `reset` path? We changed it in 2.4.", { id: "reset" }],
    [
      "-1 16:09",
      "olena",
      "Yes. The snapshot is fetched, but the window still begins at the old place.",
      { reply: "reset" },
    ],
    ["-1 16:10", "olena", "I have a test that shows it. Will push it tonight."],
    ["-1 17:31", "wu", "Thanks, that explains the support tickets too.", { react: { "🙏": ["olena"] } }],
    ["0 09:14", "priya", FIX, { id: "fix", pin: true, react: { "🎉": ["olena", "wu", "jonas"], "👀": ["mara"] } }],
    [
      "0 09:21",
      "jonas",
      "Nice and small. Three things before it ships:\n\n1. a case with *only* deleted messages\n2. the same for `before=`\n3. a line in the changelog",
      { id: "list" },
    ],
    ["0 09:24", "priya", "1 and 2 are in. 3 in a moment.", { reply: "list", react: { "✅": ["jonas"] } }],
    [
      "0 09:40",
      "mara",
      "Could the empty state say *what* it waits for? It looked broken to the people I talked to.",
      { react: { "💯": ["alexandra", "priya"] } },
    ],
    [
      "0 09:42",
      "alexandra",
      "I have words for that: “Catching up with 640 messages…”, with the number. Draft is here: https://design.example.org/sync-states",
      { edit: true },
    ],
    ["0 10:03", "wu", TRACE],
    ["0 10:11", "jonas", "Let us ship it today then. @mara, is the new text ready to go in with it?", { reply: "fix" }],
    ["0 10:12", "jonas", "I would cut the release at noon."],
  ],
  design: [
    [
      "-1 11:00",
      "alexandra",
      "Second round of the onboarding: https://design.example.org/onboarding-2",
      { id: "round" },
    ],
    ["-1 11:26", "mara", "Much calmer. I would drop the illustration on the third step.", { reply: "round" }],
    ["0 10:31", "alexandra", "Dropped. Now it fits a small phone without scrolling."],
    ["0 10:33", "wu", "Ship it 🚢"],
  ],
  releases: [
    [
      "-3 12:00",
      "jonas",
      "**2.4.0** is out: calls between two, drafts on all devices, German.",
      { react: { "🚀": ["mara", "priya", "wu", "tomas"], "❤️": ["alexandra"] } },
    ],
  ],
  support: [
    ["-1 10:15", "tomas", "“Where did my draft go?” again. That is the old app, 2.3."],
    ["0 09:02", "tomas", "Ticket 4127: a customer cannot find the search on a phone."],
    ["0 09:03", "tomas", "Ticket 4131: the same."],
    ["0 09:30", "youssef", "@mara both would be solved by the new toolbar, no?"],
  ],
  "coffee-and-lunch": [
    ["-1 12:10", "wu", "Dumplings at the corner, 12:30?", { react: { "🥟": ["mara", "jonas", "priya"] } }],
    ["0 10:05", "youssef", "Fresh coffee in the kitchen ☕"],
  ],
  "office-berlin": [["-4 17:45", "youssef", "A parcel for Tomás is at my desk."]],
  hiring: [
    ["-1 14:00", "jonas", "The notes of the interview are in the usual place."],
    ["0 09:50", "mara", "Read them. A clear yes from me."],
  ],
  books: [["-5 20:10", "olena", "“A Philosophy of Software Design”, second time. Still good."]],
  "customer-interviews": [["-2 16:00", "alexandra", "Thursday 15:00, a school with 40 teachers. One seat is free."]],
};

export const DIRECT_MESSAGES = {
  priya: [
    ["-1 18:02", "priya", "Do you have ten minutes tomorrow for the sync states?"],
    ["-1 18:05", "mara", "Sure, before noon."],
    ["0 09:58", "priya", "I tried to call, no hurry. The fix is in review."],
  ],
  olena: [
    ["-1 09:12", "olena", "Доброго ранку! Макети вже готові?"],
    ["-1 09:20", "mara", "Так, щойно виклала."],
  ],
  alexandra: [["0 10:36", "alexandra", "Can you look at the copy once more before 14:00?"]],
  youssef: [["-2 13:00", "youssef", "شكرا على المساعدة 🙏"]],
};

/** Where the viewer stopped reading: the time of the last message that she saw; all of it where none is named. */
export const READ_UNTIL = {
  general: "0 09:00",
  engineering: "0 09:45",
  design: "-1 12:00",
  support: "-1 12:00",
  "coffee-and-lunch": "0 09:00",
};

/** The missed call from `CALLER`. */
export const MISSED_CALL_AT = "0 09:56";

export const DRAFTS = { design: "I would also try the headline in" };
export const LEVELS = { "coffee-and-lunch": "none" };
