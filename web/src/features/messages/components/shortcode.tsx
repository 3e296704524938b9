import { useEmoji } from "../hooks/use-emoji";

/** An emoji by its name; a name that is none stays as it was written. */
export function Shortcode({ name }: { name: string }) {
  const emoji = useEmoji()?.byShortcode(name);
  return emoji === undefined ? `:${name}:` : <span title={`:${name}:`}>{emoji.unicode}</span>;
}
