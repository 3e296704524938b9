import { render, screen } from "@testing-library/react";
import { MemoryRouter, Route, Routes, useLocation } from "react-router";
import { expect, it, vi } from "vitest";
import { RequireNoSession, RequireSession } from "./session-guards";

const realtime = vi.hoisted(() => ({ session: null as object | null, reason: undefined as string | undefined }));
vi.mock("@/realtime", () => ({
  useSession: () => realtime.session,
  useSignOutReason: () => realtime.reason,
}));

function Where() {
  const { pathname, search } = useLocation();
  return <p>{pathname + search}</p>;
}

function at(path: string, session: object | null, reason?: string): string | null {
  Object.assign(realtime, { session, reason });
  render(
    <MemoryRouter initialEntries={[path]}>
      <Routes>
        <Route element={<RequireNoSession />}>
          <Route path="/login" element={<Where />} />
          <Route path="/signed-out" element={<Where />} />
        </Route>
        <Route element={<RequireSession />}>
          <Route path="*" element={<Where />} />
        </Route>
      </Routes>
    </MemoryRouter>,
  );
  return screen.getByRole("paragraph").textContent;
}

it("shows pages to whoever is signed in", () => {
  expect(at("/r/1?panel=pins", {})).toBe("/r/1?panel=pins");
});

it("sends others to sign in, and back to where they were", () => {
  expect(at("/r/1?panel=pins", null)).toBe("/login?next=%2Fr%2F1%3Fpanel%3Dpins");
});

it("goes on to where one wanted once signed in, and never to another site", () => {
  expect(at("/login?next=%2Fr%2F1", {})).toBe("/r/1");
});

it("never leads to another site", () => {
  expect(at("/login?next=%2F%2Fevil.example", {})).toBe("/");
});

it("tells why a session is over, and keeps the way back", () => {
  expect(at("/r/1", null, "revoked")).toBe("/signed-out?reason=revoked&next=%2Fr%2F1");
});

it("keeps no way back for whoever signed out", () => {
  expect(at("/r/1", null, "logout")).toBe("/signed-out?reason=logout");
});
