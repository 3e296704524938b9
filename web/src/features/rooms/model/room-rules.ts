/** What the server takes as a room's name and topic (src/parlour/chat/model.py), so that one hears of it before sending. */

export const MAX_NAME = 80;
export const MAX_TOPIC = 500;

export type NameProblem = "empty" | "long" | "characters";

/** What is wrong with a room's name, if anything. Lengths are in characters, not in UTF-16 units. */
export function roomNameProblem(name: string): NameProblem | undefined {
  const trimmed = name.trim();
  if (trimmed === "") return "empty";
  if (Array.from(trimmed).length > MAX_NAME) return "long";
  if (/[\p{Cc}\p{Zl}\p{Zp}]/u.test(trimmed)) return "characters";
  return undefined;
}
