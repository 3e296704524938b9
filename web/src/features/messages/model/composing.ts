/** What a composer does to text: counting, formatting, and completing what somebody begins to type. Pure. */

export const MAX_CHARACTERS = 8_000;
/** From here on the count is shown. */
export const COUNT_FROM = 7_500;

/** The server counts code points. */
export function characters(text: string): number {
  if (text.length <= MAX_CHARACTERS / 2) return text.length; // near enough where no limit is near
  let count = 0;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit < 0xdc00 || unit > 0xdfff) count += 1;
  }
  return count;
}

export interface Selected {
  text: string;
  start: number;
  end: number;
}

/** Put `mark` around what is selected, or take it away where it is there. */
export function toggled({ text, start, end }: Selected, mark: string): Selected {
  const width = mark.length;
  if (text.slice(start - width, start) === mark && text.slice(end, end + width) === mark) {
    return {
      text: text.slice(0, start - width) + text.slice(start, end) + text.slice(end + width),
      start: start - width,
      end: end - width,
    };
  }
  return {
    text: text.slice(0, start) + mark + text.slice(start, end) + mark + text.slice(end),
    start: start + width,
    end: end + width,
  };
}

export interface Completion {
  kind: "mention" | "emoji";
  /** What follows the `@` or `:`. */
  query: string;
  /** Where the `@` or `:` is. */
  start: number;
}

const MENTION = /(?:^|[^\p{L}\p{N}_.+\-/@\\])@([\p{L}\p{N}_][\p{L}\p{N}\p{M}_.-]*|)$/u;
const EMOJI = /(?:^|[^\p{L}\p{N}:]):([a-z0-9_+-]{2,30})$/iu;
/** No name is longer. */
const REACH = 48;

/** What is being typed right before the caret that can be completed. */
export function completionAt(text: string, caret: number): Completion | undefined {
  const before = text.slice(Math.max(0, caret - REACH), caret);
  if (isInCode(text.slice(0, caret))) return undefined;
  const mention = MENTION.exec(before)?.[1];
  if (mention !== undefined) return { kind: "mention", query: mention, start: caret - mention.length - 1 };
  const emoji = EMOJI.exec(before)?.[1];
  if (emoji !== undefined) return { kind: "emoji", query: emoji, start: caret - emoji.length - 1 };
  return undefined;
}

/** In a block of code, or a span that is open in this line: there a name is no mention. */
function isInCode(before: string): boolean {
  const fences = before.match(/^ {0,3}(?:```|~~~)/gm)?.length ?? 0;
  if (fences % 2 === 1) return true;
  const line = before.slice(before.lastIndexOf("\n") + 1);
  return (line.match(/`/g)?.length ?? 0) % 2 === 1;
}

/** The text with the completed word in place of what was typed. */
export function completed(text: string, caret: number, completion: Completion, word: string): Selected {
  const head = `${text.slice(0, completion.start)}${word} `;
  const tail = text.slice(caret);
  return { text: head + (tail.startsWith(" ") ? tail.slice(1) : tail), start: head.length, end: head.length };
}

export interface Candidate {
  username: string;
  name: string;
}

/** People whose username or one of whose names begins with the query; usernames that do come first. */
export function matchingPeople<Person extends Candidate>(
  people: readonly Person[],
  query: string,
  limit: number,
): Person[] {
  const wanted = query.toLocaleLowerCase();
  const ranked = people.flatMap((person) => {
    const username = person.username.toLocaleLowerCase();
    const name = person.name.toLocaleLowerCase();
    if (username.startsWith(wanted)) return [{ person, rank: 0 }];
    if (name.startsWith(wanted)) return [{ person, rank: 1 }];
    if (name.split(/\s+/).some((part) => part.startsWith(wanted))) return [{ person, rank: 2 }];
    if (username.includes(wanted) && wanted.length > 1) return [{ person, rank: 3 }];
    return [];
  });
  ranked.sort((a, b) => a.rank - b.rank || a.person.name.localeCompare(b.person.name));
  return ranked.slice(0, limit).map(({ person }) => person);
}
