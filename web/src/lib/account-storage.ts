/** Small things of an account that a browser keeps besides the data layer's: forgotten when nobody is signed in any more. */

const PREFIX = "parlour.account.";

export function readAccountItem(userId: string, name: string): unknown {
  try {
    return JSON.parse(localStorage.getItem(`${PREFIX}${userId}.${name}`) ?? "null");
  } catch {
    return null; // no storage, or not ours
  }
}

export function writeAccountItem(userId: string, name: string, value: unknown): void {
  try {
    localStorage.setItem(`${PREFIX}${userId}.${name}`, JSON.stringify(value));
  } catch {
    // no storage, or none left: it is a convenience
  }
}

export function removeAccountItem(userId: string, name: string): void {
  try {
    localStorage.removeItem(`${PREFIX}${userId}.${name}`);
  } catch {
    // no storage, nothing in it
  }
}

/** Forget all of it, of every account. */
export function wipeAccountItems(): void {
  try {
    for (const key of Object.keys(localStorage)) if (key.startsWith(PREFIX)) localStorage.removeItem(key);
  } catch {
    // no storage, nothing in it
  }
}
