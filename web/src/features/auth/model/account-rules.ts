/**
 * What the server will say of a new account, said while it is typed: the rules of src/parlour/auth/{names,passwords}.py as far as
 * they need neither its lists nor Unicode's tables. The server's word is the last.
 */

export const MIN_PASSWORD = 10;
const MAX_PASSWORD_BYTES = 1024;

/** A key of locales/…/auth.json, `errors`. */
export type Problem =
  | "required"
  | "email_invalid"
  | "display_name_invalid"
  | "username.length"
  | "username.characters"
  | "username.reserved"
  | "password_too_short"
  | "password_too_long"
  | "password_is_name";

const RESERVED = new Set(["all", "channel", "everyone", "here", "parlour", "room", "system"]);
const USERNAME = /^[\p{L}\p{N}\p{M}_]+(?:[.-][\p{L}\p{N}\p{M}_]+)*$/u;
const EMAIL = /^[^\s@<>()[\],;:\\"]+@[^\s@<>()[\],;:\\"._-](?:[^\s@<>()[\],;:\\"]*[^\s@<>()[\],;:\\"._-])?$/;

/** Controls, lone surrogates, private and unassigned code points; joiners and variation selectors belong to emoji. */
const UNPRINTABLE = /(?!\u200d|\ufe0f)[\p{C}\u2028\u2029]/u;

/** The server counts code points, as Python does. */
const characters = (text: string) => Array.from(text);

export interface Account {
  display_name: string;
  username: string;
  email: string;
  password: string;
}

export function checkUsername(username: string): Problem | undefined {
  const name = username.normalize("NFKC");
  if (name === "") return "required";
  if (characters(name).length < 2 || characters(name).length > 32) return "username.length";
  if (!USERNAME.test(name)) return "username.characters";
  return RESERVED.has(name.toLowerCase()) ? "username.reserved" : undefined;
}

export function checkEmail(email: string): Problem | undefined {
  const address = email.trim();
  if (address === "") return "required";
  const [local = "", domain = ""] = address.split("@");
  const fits = address.length <= 254 && EMAIL.test(address) && local.length <= 64 && !domain.includes("..");
  return fits ? undefined : "email_invalid";
}

export function checkDisplayName(name: string): Problem | undefined {
  const shown = name.normalize("NFC").trim().replaceAll(/\s+/gu, " ");
  if (shown === "") return "required";
  return characters(shown).length > 64 || UNPRINTABLE.test(shown) ? "display_name_invalid" : undefined;
}

const bare = (text: string) =>
  text
    .normalize("NFKC")
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]/gu, "");

export function checkPassword(password: string, account: Omit<Account, "password">): Problem | undefined {
  const secret = password.normalize("NFKC");
  if (secret === "") return "required";
  if (characters(secret).length < MIN_PASSWORD) return "password_too_short";
  if (new TextEncoder().encode(secret).length > MAX_PASSWORD_BYTES) return "password_too_long";
  const core = bare(secret);
  const cores = new Set([core, core.replace(/\d+$/, "")]);
  const names = [account.username, account.email, account.email.split("@")[0] ?? "", account.display_name].map(bare);
  const isName = names.some((name) => {
    if (name.length < 2) return false;
    return [name, name + name, characters(name).reverse().join("")].some((form) => cores.has(form));
  });
  return isName ? "password_is_name" : undefined;
}

/** What is wrong with each field that is. */
export function checkAccount(account: Account): Partial<Record<keyof Account, Problem>> {
  const problems = {
    display_name: checkDisplayName(account.display_name),
    username: checkUsername(account.username),
    email: checkEmail(account.email),
    password: checkPassword(account.password, account),
  };
  return Object.fromEntries(Object.entries(problems).filter(([, problem]) => problem !== undefined));
}

/** A username made of a name, as a suggestion: `Ann-Marie O'Neil` gives `ann-marie.oneil`. */
export function suggestUsername(name: string): string {
  const words = name
    .normalize("NFKD")
    .replaceAll(/\p{M}/gu, "")
    .toLowerCase()
    .split(/\s+/u)
    .map((word) => word.replaceAll(/[^\p{L}\p{N}_-]/gu, "").replaceAll(/^-+|-+$|(?<=-)-+/g, ""));
  return words
    .filter(Boolean)
    .join(".")
    .slice(0, 32)
    .replace(/[.-]+$/, "");
}
