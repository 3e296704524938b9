import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, it, vi } from "vitest";
import { http } from "@/lib/http";
import { startI18n } from "@/lib/i18n";
import { DevicesSection } from "./devices-section";

const session = (id: string, device: string, current = false) => ({
  id,
  device,
  address: "192.0.2.1",
  created_at: 0,
  last_used_at: 0,
  expires_at: 0,
  current,
});

beforeEach(async () => {
  await startI18n();
  vi.spyOn(http, "get").mockResolvedValue({
    sessions: [session("here", "Firefox on Linux", true), session("there", "Chrome on Android")],
  });
  render(
    <QueryClientProvider client={new QueryClient()}>
      <DevicesSection />
    </QueryClientProvider>,
  );
});

it("tells this device from the others, and signs out one of them", async () => {
  const end = vi.spyOn(http, "delete").mockResolvedValue(undefined);
  const here = (await screen.findByText("Firefox on Linux")).closest("li")!;
  expect(within(here).getByText("This device")).toBeDefined();
  expect(within(here).queryByRole("button")).toBeNull();
  await userEvent.click(screen.getByRole("button", { name: "Sign out Chrome on Android" }));
  await waitFor(() => expect(end).toHaveBeenCalledWith("/api/auth/sessions/there"));
});

it("signs out everywhere else only after asking", async () => {
  const end = vi.spyOn(http, "delete").mockResolvedValue(undefined);
  await userEvent.click(await screen.findByRole("button", { name: "Sign out everywhere else" }));
  expect(end).not.toHaveBeenCalled();
  const question = screen.getByRole("alertdialog");
  await userEvent.click(within(question).getByRole("button", { name: "Sign out everywhere else" }));
  await waitFor(() => expect(end).toHaveBeenCalledWith("/api/auth/sessions"));
});
