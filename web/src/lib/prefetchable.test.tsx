import { render, screen } from "@testing-library/react";
import { Suspense } from "react";
import { expect, test } from "vitest";
import { prefetchable } from "./prefetchable";

const Page = ({ name }: { name: string }) => <p>page of {name}</p>;

function draw(Component: ReturnType<typeof prefetchable<{ name: string }>>[0]) {
  render(
    <Suspense fallback={<p>fallback</p>}>
      <Component name="ann" />
    </Suspense>,
  );
}

test("what was fetched is drawn at once", async () => {
  let loads = 0;
  const [Component, prefetch] = prefetchable(() => Promise.resolve((loads++, Page)));
  await prefetch();
  draw(Component);
  expect(screen.getByText("page of ann")).toBeDefined();
  expect(loads).toBe(1);
});

test("what was not is waited for", async () => {
  const [Component] = prefetchable(() => Promise.resolve(Page));
  draw(Component);
  expect(screen.getByText("fallback")).toBeDefined();
  expect(await screen.findByText("page of ann")).toBeDefined();
});

test("what could not be fetched ahead is fetched when it is drawn", async () => {
  let online = false;
  const [Component, prefetch] = prefetchable(() =>
    online ? Promise.resolve(Page) : Promise.reject(new Error("offline")),
  );
  await expect(prefetch()).rejects.toThrow("offline");
  online = true;
  draw(Component);
  expect(await screen.findByText("page of ann")).toBeDefined();
});
