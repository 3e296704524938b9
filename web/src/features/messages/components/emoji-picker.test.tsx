import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeAll, expect, it, vi } from "vitest";
import { startI18n } from "@/lib/i18n";
import { EmojiIndex } from "../model/emoji";
import { EmojiPicker } from "./emoji-picker";

const { loadEmoji } = vi.hoisted(() => ({ loadEmoji: vi.fn<() => Promise<EmojiIndex>>() }));
vi.mock("../model/emoji-data", () => ({ loadEmoji }));

beforeAll(startI18n);

it("says that emoji cannot be had without a network, until one tries again with one", async () => {
  loadEmoji.mockRejectedValueOnce(new TypeError("Failed to fetch dynamically imported module"));
  const user = userEvent.setup();
  render(<EmojiPicker onPick={() => undefined} />);
  expect((await screen.findByRole("alert")).textContent).toContain("The server cannot be reached.");
  loadEmoji.mockResolvedValueOnce(new EmojiIndex([]));
  await user.click(screen.getByRole("button", { name: "Try again" }));
  expect(screen.queryByRole("alert")).toBeNull();
  await user.type(screen.getByRole("textbox", { name: "Search emoji" }), "rocket");
  await screen.findByText("Nothing is called “rocket”.");
});
