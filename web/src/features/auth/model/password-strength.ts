import { MIN_PASSWORD } from "./account-rules";

export type Strength = "short" | "weak" | "fair" | "good" | "strong";

/**
 * A rough guess of how long a password takes to guess, to steer people towards longer ones: what differs counts, what repeats or
 * runs on does not. The server alone decides what is allowed.
 */
export function passwordStrength(password: string): Strength {
  const characters = Array.from(password.normalize("NFKC"));
  if (characters.length < MIN_PASSWORD) return "short";
  const kinds = [/\p{Ll}/u, /\p{Lu}/u, /\p{N}/u, /[^\p{L}\p{N}]/u].filter((kind) => kind.test(password)).length;
  let surprising = 0;
  for (const [index, character] of characters.entries()) {
    const step = index === 0 ? 2 : (character.codePointAt(0) ?? 0) - (characters[index - 1]?.codePointAt(0) ?? 0);
    if (Math.abs(step) > 1) surprising += 1;
  }
  const varied = Math.min(surprising, new Set(characters).size * 2);
  const score = varied + (kinds - 1) * 2;
  if (score < 9) return "weak";
  if (score < 14) return "fair";
  return score < 18 ? "good" : "strong";
}
