/** The value that `make` gives, made when it is first asked for: Intl's objects cost the first page milliseconds each. */
export function lazily<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
