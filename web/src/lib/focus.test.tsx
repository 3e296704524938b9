import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useEffect, useRef } from "react";
import { BrowserRouter, Link, Route, Routes } from "react-router";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { FOCUS_HOME, giveBackFocus, useKeptFocus } from "./focus";

function Field() {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  return <input ref={field} aria-label="field" />;
}

function Shell() {
  useKeptFocus();
  return (
    <>
      <Link to="/plain">outside</Link>
      <main id="page" tabIndex={-1}>
        <Routes>
          <Route
            index
            element={
              <>
                <Link to="/plain">plain</Link>
                <Link to="/field">with a field</Link>
              </>
            }
          />
          <Route path="/plain" element="nothing that takes the focus" />
          <Route path="/field" element={<Field />} />
        </Routes>
      </main>
    </>
  );
}

describe("one who is led to another page", () => {
  beforeEach(() => {
    window.history.replaceState(null, "", "/");
    render(
      <BrowserRouter>
        <Shell />
      </BrowserRouter>,
    );
  });

  it("has nothing focused at first", () => {
    expect(document.activeElement).toBe(document.body);
  });

  it("goes on from the page, when what had the focus stayed behind", async () => {
    await userEvent.click(screen.getByRole("link", { name: "plain" }));
    expect(document.activeElement).toBe(screen.getByRole("main"));
  });

  it("goes on from what takes the focus there", async () => {
    await userEvent.click(screen.getByRole("link", { name: "with a field" }));
    expect(document.activeElement).toBe(screen.getByRole("textbox"));
  });

  it("keeps what is still there", async () => {
    const outside = screen.getByRole("link", { name: "outside" });
    await userEvent.click(outside);
    expect(document.activeElement).toBe(outside);
  });
});

describe("a focus that is given back", () => {
  function lend({ touch = false } = {}) {
    vi.spyOn(window, "matchMedia").mockImplementation((query) => ({ matches: touch, media: query }) as MediaQueryList);
    render(
      <main id="page" tabIndex={-1}>
        <button type="button">before</button>
        <textarea {...FOCUS_HOME} />
      </main>,
    );
    return screen.getByRole("button");
  }

  it("goes to where it was", () => {
    const before = lend();
    giveBackFocus(before);
    expect(document.activeElement).toBe(before);
  });

  it("goes to where one writes when that is gone", () => {
    const before = lend();
    before.remove();
    giveBackFocus(before);
    expect(document.activeElement).toBe(screen.getByRole("textbox"));
  });

  it("brings up no keyboard", () => {
    lend({ touch: true });
    giveBackFocus(document.body);
    expect(document.activeElement).toBe(screen.getByRole("main"));
  });

  it("is left to what has taken it", () => {
    const before = lend();
    screen.getByRole("textbox").focus();
    giveBackFocus(before);
    expect(document.activeElement).toBe(screen.getByRole("textbox"));
  });
});
