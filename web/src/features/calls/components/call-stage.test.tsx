import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { MemoryRouter } from "react-router";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { startI18n } from "@/lib/i18n";
import type { ParticipantView } from "@/realtime";
import type { ActiveCall } from "../model/desk";
import { CallStage } from "./call-stage";

vi.mock("@/realtime", () => ({
  useRoom: () => undefined,
  useProfile: () => ({ display_name: "Ben" }),
  useSession: () => ({ user: { id: "ann" } }),
}));
vi.mock("@/media", () => ({ canShareScreen: () => true }));

const shownAlone: string[] = [];

beforeEach(async () => {
  await startI18n();
  Object.assign(document, { pictureInPictureEnabled: true, fullscreenElement: null });
  Object.assign(HTMLVideoElement.prototype, {
    requestPictureInPicture(this: HTMLVideoElement) {
      shownAlone.push(this.getAttribute("aria-label") ?? "");
      return Promise.resolve();
    },
  });
});
afterEach(() => {
  shownAlone.length = 0;
});

function show(other: Pick<ParticipantView, "video" | "screen">): void {
  const track = {} as MediaStreamTrack;
  const call: ActiveCall = {
    roomId: "room",
    callId: "call",
    media: "video",
    others: [{ id: "p2", user_id: "ben", state: "connected", joined_at: 0, audio: true, ...other }],
    ringing: false,
    own: {},
    remote: { microphone: track, camera: track, screen: track, screenAudio: track },
    sending: { microphone: true, camera: false, screen: false },
    problems: {},
    view: "full",
  };
  render(
    <MemoryRouter>
      <CallStage call={call} />
    </MemoryRouter>,
  );
}
const button = () => screen.queryByRole("button", { name: "Picture in picture" });

it.each([
  ["the camera", "Picture of Ben", { video: true, screen: false }],
  ["a shared screen", "Ben's screen", { video: false, screen: true }],
  ["the screen rather than the camera", "Ben's screen", { video: true, screen: true }],
])("puts %s into a window of its own", async (_, label, other) => {
  show(other);
  await userEvent.click(button()!);
  expect(shownAlone).toEqual([label]);
});

it("has nothing for such a window while there is no picture", () => {
  show({ video: false, screen: false });
  expect(button()).toBeNull();
});
