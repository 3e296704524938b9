import { lazy, type ComponentType, type LazyExoticComponent } from "react";

/**
 * A component in a file of its own, and how to fetch that ahead. What was fetched is drawn at once: `lazy` alone draws a
 * fallback first, and what takes its place waits for React's 300 ms between two such changes.
 */
export function prefetchable<Props>(
  load: () => Promise<ComponentType<Props>>,
): [component: LazyExoticComponent<ComponentType<Props>>, prefetch: () => Promise<void>] {
  let fetched: { default: ComponentType<Props> } | undefined;
  const fetch = async () => (fetched = { default: await load() });
  const component = lazy(() => (fetched === undefined ? fetch() : now(fetched)));
  const prefetch = async () => {
    await fetch();
  };
  return [component, prefetch];
}

/** A promise that calls back within `then`, by which `lazy` knows it before it would suspend. */
function now<T>(value: T): Promise<T> {
  return { then: (resolve: (value: T) => void) => resolve(value) } as Promise<T>;
}
