import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { MemoryRouter } from "react-router";
import { beforeAll, beforeEach, expect, it, vi } from "vitest";
import { ApiError } from "@/lib/http";
import { startI18n } from "@/lib/i18n";
import { register } from "../api/register";
import { RegisterPage } from "./register-page";

const startSession = vi.hoisted(() => vi.fn(() => Promise.resolve()));
vi.mock("@/realtime", () => ({ startSession }));
vi.mock("../api/register");

const registering = vi.mocked(register);

beforeAll(startI18n);

beforeEach(() => {
  registering.mockReset();
  startSession.mockClear();
});

const submit = () => userEvent.click(screen.getByRole("button", { name: "Create account" }));

async function fill(): Promise<void> {
  render(<RegisterPage />, { wrapper: MemoryRouter });
  await userEvent.type(screen.getByLabelText("Your name"), "Ann Lee");
  await userEvent.type(screen.getByLabelText("E-mail"), "ann@example.org");
  await userEvent.type(screen.getByLabelText("Password"), "seven green kettles");
}

it("makes the account, with a username made of the name", async () => {
  const grant = { user: { role: "member" } } as Awaited<ReturnType<typeof register>>;
  registering.mockResolvedValue(grant);
  await fill();
  await submit();
  expect(registering).toHaveBeenCalledWith({
    display_name: "Ann Lee",
    username: "ann.lee",
    email: "ann@example.org",
    password: "seven green kettles",
  });
  expect(startSession).toHaveBeenCalledWith(grant);
});

it("keeps a username that was typed when the name changes", async () => {
  await fill();
  const username = screen.getByLabelText<HTMLInputElement>("Username");
  await userEvent.clear(username);
  await userEvent.type(username, "annie");
  await userEvent.type(screen.getByLabelText("Your name"), " Smith");
  expect(username.value).toBe("annie");
});

it("says what is wrong with a field once it was left, not before", async () => {
  render(<RegisterPage />, { wrapper: MemoryRouter });
  await userEvent.type(screen.getByLabelText("E-mail"), "ann");
  expect(screen.queryByText("This is not an e-mail address.")).toBeNull();
  await userEvent.tab();
  expect(screen.getByText("This is not an e-mail address.")).toBeTruthy();
});

it("leads to the first field that is wrong", async () => {
  render(<RegisterPage />, { wrapper: MemoryRouter });
  await submit();
  expect(document.activeElement).toBe(screen.getByLabelText("Your name"));
  expect(registering).not.toHaveBeenCalled();
});

it("shows the server's refusal at its field until it is changed", async () => {
  registering.mockRejectedValue(new ApiError("username_taken", "", { status: 409 }));
  await fill();
  await submit();
  const username = screen.getByLabelText("Username");
  expect(screen.getByText("Somebody else has this username.")).toBeTruthy();
  expect(document.activeElement).toBe(username);
  await userEvent.type(username, "2");
  expect(screen.queryByText("Somebody else has this username.")).toBeNull();
});

it("tells the reason of a username that the server does not take", async () => {
  const details = { field: "username", reason: "lookalike" };
  registering.mockRejectedValue(new ApiError("username_invalid", "", { status: 400, details }));
  await fill();
  await submit();
  expect(screen.getByText(/looks too much like another name/)).toBeTruthy();
});
