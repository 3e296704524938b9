import { act, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { MemoryRouter } from "react-router";
import { afterEach, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { ApiError } from "@/lib/http";
import { startI18n } from "@/lib/i18n";
import { logIn } from "../api/log-in";
import { LoginPage } from "./login-page";

const startSession = vi.hoisted(() => vi.fn(() => Promise.resolve()));
vi.mock("@/realtime", () => ({ startSession }));
vi.mock("../api/log-in");

const grant = { user: { id: "1" }, access_token: "a", expires_in: 600 } as Awaited<ReturnType<typeof logIn>>;
const login = vi.mocked(logIn);

beforeAll(startI18n);

beforeEach(() => {
  login.mockReset();
  startSession.mockClear();
});

afterEach(() => {
  vi.useRealTimers();
});

function open(): { submit: () => Promise<void>; fill: (name: string, password: string) => Promise<void> } {
  render(<LoginPage />, { wrapper: MemoryRouter });
  const user = userEvent.setup();
  return {
    submit: () => user.click(screen.getByRole("button", { name: "Sign in" })),
    fill: async (name, password) => {
      await user.type(screen.getByLabelText("Username or e-mail"), name);
      await user.type(screen.getByLabelText("Password"), password);
    },
  };
}

it("begins a session with what the server grants", async () => {
  login.mockResolvedValue(grant);
  const { fill, submit } = open();
  await fill(" ann ", "seven green kettles ");
  await submit();
  expect(login).toHaveBeenCalledWith({ login: "ann", password: "seven green kettles " });
  expect(startSession).toHaveBeenCalledWith(grant);
});

it("asks for what is missing, at the field, and asks the server nothing", async () => {
  const { submit } = open();
  await submit();
  const field = screen.getByLabelText("Username or e-mail");
  expect(field.getAttribute("aria-invalid")).toBe("true");
  expect(document.activeElement).toBe(field);
  expect(screen.getAllByText("Fill this in.")).toHaveLength(2);
  expect(login).not.toHaveBeenCalled();
});

it("explains a refusal and keeps what was typed", async () => {
  login.mockRejectedValue(new ApiError("invalid_credentials", "", { status: 401 }));
  const { fill, submit } = open();
  await fill("ann", "wrong");
  await submit();
  expect(screen.getByRole("alert").textContent).toMatch(/no account with this login and password/);
  expect(screen.getByLabelText<HTMLInputElement>("Password").value).toBe("wrong");
  expect(document.activeElement).toBe(screen.getByLabelText("Password"));
});

it("counts down while the server slows attempts, and lets one try again after", async () => {
  vi.useFakeTimers({ toFake: ["Date", "setInterval", "clearInterval"] });
  login.mockRejectedValue(new ApiError("login_slowed", "", { status: 429, retryAfter: 61 }));
  const { fill, submit } = open();
  await fill("ann", "wrong");
  await submit();
  const button = screen.getByRole<HTMLButtonElement>("button", { name: "Sign in" });
  const told = () => screen.getByRole("alert").textContent;
  expect(told()).toBe("Too many failed attempts. Try again in 1:01.");
  expect(button.disabled).toBe(true);
  act(() => void vi.advanceTimersByTime(2_000));
  expect(told()).toBe("Too many failed attempts. Try again in 0:59.");
  act(() => void vi.advanceTimersByTime(59_000));
  expect(told()).toBe("");
  expect(button.disabled).toBe(false);
});

it("shows the password when asked to, and tells of Caps Lock", async () => {
  open();
  const field = screen.getByLabelText<HTMLInputElement>("Password");
  await userEvent.click(screen.getByRole("button", { name: "Show password" }));
  expect(field.type).toBe("text");
  await userEvent.click(field);
  await userEvent.keyboard("{CapsLock}a");
  expect(screen.getByText("Caps Lock is on")).toBeTruthy();
});
