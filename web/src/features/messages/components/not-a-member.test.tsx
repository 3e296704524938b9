import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { createMemoryRouter, RouterProvider } from "react-router";
import { beforeAll, beforeEach, expect, it, vi } from "vitest";
import { startI18n } from "@/lib/i18n";
import { ApiError } from "@/lib/http";
import { useToasts } from "@/lib/toast";
import { getRoom } from "../api/get-room";
import * as realtime from "../testing/realtime";
import { NotAMember } from "./not-a-member";
import { StrandedNotice } from "./stranded-notice";

vi.mock("@/realtime", () => import("../testing/realtime"));
vi.mock("../api/get-room", () => ({ getRoom: vi.fn() }));

beforeAll(startI18n);
beforeEach(() => {
  vi.clearAllMocks();
  vi.mocked(getRoom).mockRejectedValue(new ApiError("room_not_found", "", { status: 404 }));
});

const show = () =>
  render(
    <QueryClientProvider client={new QueryClient({ defaultOptions: { queries: { retry: false } } })}>
      <NotAMember roomId="room" />
    </QueryClientProvider>,
  );

it("shows what was not sent to a room that one is out of, to be copied, tried again and discarded", async () => {
  const user = userEvent.setup();
  realtime.useUnsentTexts.mockReturnValue([
    { clientId: "1", at: 1, text: "one", failed: true },
    { clientId: "2", at: 2, text: "two", failed: false },
  ]);
  realtime.useStrandedDraft.mockReturnValue("not done");
  show();
  expect(await screen.findByRole("region", { name: "Not sent" })).toBeTruthy();
  expect(screen.getAllByRole("listitem").map((each) => each.querySelector("p")?.textContent)).toEqual([
    "one",
    "two",
    "not done",
  ]);
  await user.click(screen.getByRole("button", { name: "Try again" }));
  expect(realtime.retryCommand).toHaveBeenCalledWith("1");
  await user.click(screen.getAllByRole("button", { name: "Copy text" })[0]!);
  expect(await navigator.clipboard.readText()).toBe("one");
  await user.click(screen.getAllByRole("button", { name: "Discard" })[1]!);
  expect(realtime.discardCommand).toHaveBeenCalledWith("2");
  await user.click(screen.getAllByRole("button", { name: "Discard" })[2]!);
  expect(realtime.saveDraft).toHaveBeenCalledWith("room", "");
});

it("shows no list where nothing is left", async () => {
  realtime.useUnsentTexts.mockReturnValue([]);
  realtime.useStrandedDraft.mockReturnValue("");
  show();
  expect(await screen.findByText("There is no such room for you")).toBeTruthy();
  expect(screen.queryByRole("region")).toBeNull();
});

it("says that something was not sent, and leads there", async () => {
  realtime.useStrandedRooms.mockReturnValue(["room"]);
  const Notices = () =>
    useToasts().map(({ id, title, action }) => (
      <button key={id} onClick={action?.run}>
        {title}
      </button>
    ));
  const page = (
    <>
      <StrandedNotice />
      <Notices />
    </>
  );
  const router = createMemoryRouter([{ path: "*", element: page }]);
  render(<RouterProvider router={router} />);
  await userEvent.setup().click(await screen.findByRole("button", { name: "Not sent." }));
  expect(router.state.location.pathname).toBe("/r/room");
});
