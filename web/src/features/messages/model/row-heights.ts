/** How high the rows of a timeline are: measured, or else estimated. */

import type { Row } from "./rows";

/** A row's height before it is measured. */
function estimate(row: Row): number {
  if (row.kind === "start") return 120;
  const height = row.kind === "notice" ? 28 : row.grouped ? 32 : 56;
  return height + (row.day === undefined ? 0 : 40) + (row.unread ? 24 : 0);
}

/** So many rows that are no longer held may be remembered. */
const FORGOTTEN = 2_000;

export class RowHeights {
  readonly #measured = new Map<string, number>();

  measured(row: Row, height: number): void {
    this.#measured.set(row.key, height);
  }

  of(row: Row): number {
    return this.#measured.get(row.key) ?? estimate(row);
  }

  /** Of the rows from one up to, and without, another. */
  sum(rows: readonly Row[], from: number, to: number): number {
    let sum = 0;
    for (let index = from; index < to; index++) sum += this.#at(rows, index);
    return sum;
  }

  /** The first of the rows before `index` that are at least so high together, or the first of all. */
  before(rows: readonly Row[], index: number, height: number): number {
    let [at, left] = [index, height];
    while (at > 0 && left > 0) left -= this.#at(rows, --at);
    return at;
  }

  /** The one after the rows from `index` on that are at least so high together. */
  after(rows: readonly Row[], index: number, height: number): number {
    let [at, left] = [index, height];
    while (at < rows.length && left > 0) left -= this.#at(rows, at++);
    return at;
  }

  /** Forget rows that are not among these, once there are many. */
  keep(rows: readonly Row[]): void {
    if (this.#measured.size <= rows.length + FORGOTTEN) return;
    const held = new Set(rows.map((row) => row.key));
    for (const key of this.#measured.keys()) if (!held.has(key)) this.#measured.delete(key);
  }

  #at(rows: readonly Row[], index: number): number {
    const row = rows[index];
    return row === undefined ? 0 : this.of(row);
  }
}
