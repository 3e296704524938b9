import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { Link, MemoryRouter, Outlet, Route, Routes, useLocation } from "react-router";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { Dialog, DialogContent } from "@/components/ui/dialog";
import { startI18n } from "@/lib/i18n";
import { useLastPlaceKept } from "@/lib/last-place";
import { followShortcuts } from "@/lib/shortcuts";
import { SettingsPage } from "./settings-page";

vi.mock("@/realtime", () => ({
  accountChanged: () => undefined,
  useSession: () => ({ user: { id: "ann", username: "ann", display_name: "Ann", email: "ann@example.org" } }),
}));

beforeAll(startI18n);
beforeEach(followShortcuts);

function Shell() {
  useLastPlaceKept();
  const { pathname, search } = useLocation();
  return (
    <>
      <output>{pathname + search}</output>
      <Link to="/settings">To the settings</Link>
      <Outlet />
    </>
  );
}

const NOTIFICATIONS = (
  <>
    <input type="search" aria-label="Find a room" />
    <select aria-label="Level" />
  </>
);
const CALLS = (
  <Dialog defaultOpen>
    <DialogContent title="A question" />
  </Dialog>
);

/** Somebody who went from a place to the settings. */
async function comeFrom(place: string) {
  const user = userEvent.setup();
  render(
    <QueryClientProvider client={new QueryClient()}>
      <MemoryRouter initialEntries={[place]}>
        <Routes>
          <Route element={<Shell />}>
            <Route
              path="/settings/:section?"
              element={<SettingsPage notifications={NOTIFICATIONS} calls={CALLS} password={null} />}
            />
            <Route path="*" element={null} />
          </Route>
        </Routes>
      </MemoryRouter>
    </QueryClientProvider>,
  );
  await user.click(screen.getByText("To the settings"));
  const at = () => screen.getByRole("status").textContent;
  expect(at()).toBe("/settings/profile");
  return { user, at };
}

describe("Escape", () => {
  it("leads back to where one came from, also from another section", async () => {
    const { user, at } = await comeFrom("/r/garden?panel=pins");
    await user.click(screen.getByRole("link", { name: "Appearance" }));
    expect(at()).toBe("/settings/appearance");
    await user.keyboard("{Escape}");
    expect(at()).toBe("/r/garden?panel=pins");
  });

  it("leads to the first page where one began with the settings", async () => {
    const { user, at } = await comeFrom("/settings/appearance");
    await user.keyboard("{Escape}");
    expect(at()).toBe("/");
  });

  it("leaves what was typed and not saved", async () => {
    const { user, at } = await comeFrom("/r/garden");
    const name = screen.getByRole("textbox", { name: "Display name" });
    await user.type(name, "e{Escape}");
    await user.tab();
    await user.keyboard("{Escape}");
    expect(at()).toBe("/settings/profile");
    await user.type(name, "{Backspace}{Escape}");
    expect(at()).toBe("/r/garden");
  });

  it("belongs to the fields that close or empty themselves by it", async () => {
    const { user, at } = await comeFrom("/r/garden");
    await user.click(screen.getByRole("link", { name: "Notifications" }));
    screen.getByRole("searchbox").focus();
    await user.keyboard("{Escape}");
    screen.getByRole("combobox").focus();
    await user.keyboard("{Escape}");
    expect(at()).toBe("/settings/notifications");
  });

  it("closes a dialog first", async () => {
    const { user, at } = await comeFrom("/r/garden");
    await user.click(screen.getByRole("link", { name: "Calls" }));
    await screen.findByRole("dialog");
    await user.keyboard("{Escape}");
    expect(screen.queryByRole("dialog")).toBeNull();
    expect(at()).toBe("/settings/calls");
    await user.keyboard("{Escape}");
    expect(at()).toBe("/r/garden");
  });
});
