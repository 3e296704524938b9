/** Rows in the flow of a page, of which only those near what is in sight are drawn. */

import { RowHeights } from "../model/row-heights";
import type { Row } from "../model/rows";

/** So near to the end is at the end. */
const END_PX = 60;
/** So far beyond what is in sight rows are drawn: at least, where some must be drawn, and at most before some are taken away. */
const AHEAD_PX = { least: 450, drawn: 600, most: 1_000 };
/** So much of what was read stays in sight above what one is led to. */
const CONTEXT_PX = 64;
/** Around all rows. */
const ABOVE_PX = 8;
const BELOW_PX = 12;
/** How high the timeline is, until the page has said it. */
const HEIGHT_PX = 800;
/** Scrolling that rests for so long is over. */
const REST_MS = 200;

/** Rows from one up to, and without, another. */
export interface Span {
  from: number;
  to: number;
}

export type Align = "start" | "center" | "auto";

/**
 * Where the rows of a timeline stand. Those that are drawn follow each other in the page's own flow, with padding in place of what is
 * above and below them. So a row that comes or changes its height is laid out once, and nothing else is drawn again for it. At the end
 * of the room, that is kept to. Elsewhere the row that one reads keeps its place in what is scrolled, whatever comes above it: the
 * padding takes up what the heights there were estimated wrong by. That is made good once scrolling rests, or where padding runs out.
 */
export class RowList {
  readonly #changed: (now: boolean) => void;
  readonly #heights = new RowHeights();
  #scroller: HTMLElement | undefined;
  #content: HTMLElement | undefined;
  #rows: readonly Row[] = [];
  /** Those in the flow, of all that are drawn. */
  #span: Span = { from: 0, to: 0 };
  #drawn: readonly number[] = [];
  /** The keys of the first and the last row to draw next time; the last one's is undefined for the end, whatever comes there. */
  #wanted: { first: string | undefined; last: string | undefined } = { first: undefined, last: undefined };
  #above = ABOVE_PX;
  #below = BELOW_PX;
  #height = HEIGHT_PX;
  #top = 0;
  #live = true;
  /** Somebody wants to be at the end of the room, which may not be held yet. */
  #sought = false;
  #atEnd = true;
  /** How far from the end one is, at the end. */
  #fromEnd = 0;
  /** The first row in sight, and where it begins in what is scrolled. */
  #anchor: { key: string; y: number } | undefined;
  #goal: { key: string; align: Align } | undefined;
  /** The heights of those in the flow are known as they are. */
  #measured = false;
  #rest: ReturnType<typeof setTimeout> | undefined;
  #touched = false;

  /** `changed` is to have the rows drawn again, `now` where the next frame would be too late. */
  constructor(changed: (now: boolean) => void) {
    this.#changed = changed;
  }

  /** Whether the end of what is held is in sight. */
  get atEnd(): boolean {
    return this.#atEnd;
  }

  /** Which of these rows to draw. */
  span(rows: readonly Row[]): Span {
    const { first, last } = this.#wanted;
    const to = last === undefined ? rows.length : indexOf(rows, last) + 1;
    const from = first === undefined ? -1 : indexOf(rows, first);
    if (from >= 0 && to > from) return { from, to };
    return { from: this.#heights.before(rows, rows.length, this.#height + AHEAD_PX.drawn), to: rows.length };
  }

  /** Where a row begins that is drawn out of the flow, as far as that is known. */
  outOf({ from }: Span, rows: readonly Row[], index: number): number {
    if (index < from) return Math.max(0, this.#above - this.#heights.sum(rows, index, from));
    return this.#above + this.#heights.sum(rows, from, index);
  }

  /** Follow the page's scrolling until what is returned is called. */
  connect(scroller: HTMLElement, content: HTMLElement): () => void {
    this.#scroller = scroller;
    this.#content = content;
    const scrolled = () => this.#scrolled(scroller);
    const touched = ({ touches }: TouchEvent) => void (this.#touched = touches.length > 0);
    const touches = ["touchstart", "touchend", "touchcancel"] as const;
    const observer = new ResizeObserver(() => this.#resized(scroller));
    scroller.addEventListener("scroll", scrolled, { passive: true });
    for (const type of touches) scroller.addEventListener(type, touched, { passive: true });
    observer.observe(scroller);
    observer.observe(content);
    return () => {
      clearTimeout(this.#rest);
      observer.disconnect();
      scroller.removeEventListener("scroll", scrolled);
      for (const type of touches) scroller.removeEventListener(type, touched);
      this.#scroller = this.#content = undefined;
    };
  }

  /** Rows were drawn: those of `span` in the flow, all of `drawn` in the page. `live` says that they end where the room ends. */
  commit(rows: readonly Row[], span: Span, drawn: readonly number[], live: boolean): void {
    const scroller = this.#scroller;
    if (scroller === undefined) return;
    const before = { rows: this.#rows, span: this.#span };
    const appended = rows.at(-1)?.key !== before.rows.at(-1)?.key;
    const follows = this.#atEnd && (!appended || (live && (this.#live || this.#sought)));
    if (live) this.#sought = false;
    [this.#rows, this.#span, this.#drawn, this.#live, this.#measured] = [rows, span, drawn, live, false];
    this.#want(span);
    this.#setAbove(this.#aboveNow(before));
    this.#setBelow(this.#heights.sum(rows, span.to, rows.length) + BELOW_PX);
    if (this.#goal !== undefined) this.#reach(scroller, this.#goal);
    else if (follows) {
      if (appended) this.#fromEnd = 0;
      this.#keepEnd(scroller);
    } else this.#keepPlace();
    const { from } = span;
    if (from === 0 ? this.#above !== ABOVE_PX : this.#above < AHEAD_PX.drawn) this.#settle(scroller);
    if (!follows) this.#setAtEnd(scroller, false);
    this.#heights.keep(rows);
    this.#look(false);
  }

  /** Go to the end, and stay there. */
  toEnd(): void {
    this.#goal = undefined;
    this.#sought = true;
    this.#atEnd = true;
    this.#fromEnd = 0;
    const { length } = this.#rows;
    if (this.#scroller !== undefined && this.#span.to === length) {
      this.#keepEnd(this.#scroller);
      this.#look(false);
      return;
    }
    this.#want({ from: this.#heights.before(this.#rows, length, this.#height + AHEAD_PX.drawn), to: length });
    this.#changed(false);
  }

  /** Bring a row into sight. */
  toRow(index: number, align: Align): void {
    const [rows, row, scroller] = [this.#rows, this.#rows[index], this.#scroller];
    if (row === undefined || scroller === undefined) return;
    this.#goal = { key: row.key, align };
    const { from, to } = this.#span;
    if (from <= index && index < to) {
      this.#reach(scroller, this.#goal);
      this.#look(false);
      return;
    }
    const around = this.#height + AHEAD_PX.drawn;
    this.#want({ from: this.#heights.before(rows, index, around), to: this.#heights.after(rows, index, around) });
    this.#changed(false);
  }

  #want({ from, to }: Span): void {
    const last = to === this.#rows.length ? undefined : this.#rows[to - 1]?.key;
    this.#wanted = { first: this.#rows[from]?.key, last };
  }

  #scrolled(scroller: HTMLElement): void {
    const before = this.#top;
    this.#top = scroller.scrollTop;
    clearTimeout(this.#rest);
    this.#rest = setTimeout(() => this.#rested(), REST_MS);
    if (this.#top === before) return;
    // What grew at the end is not what somebody scrolled away from.
    this.#setAtEnd(scroller, this.#atEnd && this.#top > before);
    this.#look(true);
  }

  #rested(): void {
    if (this.#scroller !== undefined && !this.#touched) this.#settle(this.#scroller);
  }

  #resized(scroller: HTMLElement): void {
    this.#height = scroller.clientHeight;
    this.#measured = false;
    if (this.#atEnd) this.#keepEnd(scroller);
    else this.#keepPlace();
    this.#look(false);
  }

  #setAtEnd({ scrollHeight, clientHeight }: HTMLElement, kept: boolean): void {
    const fromEnd = Math.max(0, scrollHeight - clientHeight - this.#top);
    const near = fromEnd <= END_PX;
    if (near) this.#fromEnd = fromEnd;
    if (!near && !kept) this.#sought = false;
    if (this.#atEnd === (near || kept)) return;
    this.#atEnd = near || kept;
    this.#changed(false);
  }

  #keepEnd(scroller: HTMLElement): void {
    this.#scrollTo(scroller, scroller.scrollHeight - scroller.clientHeight - this.#fromEnd);
  }

  /** What is above the first row in sight has changed: it stays where it was. */
  #keepPlace(): void {
    const anchor = this.#anchor;
    const element = anchor === undefined ? undefined : this.#element(indexOf(this.#rows, anchor.key));
    if (anchor === undefined || element === undefined || this.#content === undefined) return;
    const moved = element.getBoundingClientRect().top - this.#content.getBoundingClientRect().top - anchor.y;
    if (Math.abs(moved) > 0.01) this.#setAbove(this.#above - moved);
  }

  /** Make the padding above what the rows there are high, with what is in sight where it is. */
  #settle(scroller: HTMLElement): void {
    const above = ABOVE_PX + this.#heights.sum(this.#rows, 0, this.#span.from);
    const shift = above - this.#above;
    if (Math.abs(shift) < 0.5) return;
    this.#setAbove(above);
    if (this.#anchor !== undefined) this.#anchor = { key: this.#anchor.key, y: this.#anchor.y + shift };
    this.#scrollTo(scroller, this.#top + shift);
  }

  #reach(scroller: HTMLElement, { key, align }: { key: string; align: Align }): void {
    this.#goal = undefined;
    const index = indexOf(this.#rows, key);
    const element = this.#element(index);
    if (element === undefined || this.#content === undefined) return;
    const box = element.getBoundingClientRect();
    const y = box.top - this.#content.getBoundingClientRect().top;
    this.#height = scroller.clientHeight;
    const bottom = y + box.height + (index === this.#rows.length - 1 ? BELOW_PX : 0);
    if (align === "center") this.#scrollTo(scroller, y + (box.height - this.#height) / 2);
    else if (align === "start" || y - CONTEXT_PX < this.#top) this.#scrollTo(scroller, y - CONTEXT_PX);
    else if (bottom > this.#top + this.#height) this.#scrollTo(scroller, bottom - this.#height);
    this.#setAtEnd(scroller, false);
  }

  #scrollTo(scroller: HTMLElement, top: number): void {
    scroller.scrollTop = top;
    this.#top = scroller.scrollTop;
  }

  /** See what is in sight, and have drawn what is near it, `now` where somebody scrolls. */
  #look(now: boolean): void {
    const [rows, heights, top] = [this.#rows, this.#heights, this.#top];
    if (rows.length === 0) return;
    const bottom = top + this.#height;
    this.#measure();
    const { from, to } = this.#span;
    const [first, last] = [this.#above, this.#above + heights.sum(rows, from, to)];
    let [index, y] = [from, first];
    for (; index > 0 && y > top; y -= heights.sum(rows, index, index + 1)) index--;
    for (; index < rows.length - 1; index++) {
      const next = y + heights.sum(rows, index, index + 1);
      if (next > top) break;
      y = next;
    }
    this.#anchor = { key: rows[index]?.key ?? "", y };
    const lacking = (from > 0 && top - first < AHEAD_PX.least) || (to < rows.length && last - bottom < AHEAD_PX.least);
    if (!lacking && top - first <= AHEAD_PX.most && last - bottom <= AHEAD_PX.most) return;
    this.#want({
      from: heights.before(rows, index, AHEAD_PX.drawn + y - top),
      to: heights.after(rows, index, bottom + AHEAD_PX.drawn - y),
    });
    if (lacking) this.#changed(now); // what is too much goes with the next change
  }

  #measure(): void {
    if (this.#measured) return;
    this.#measured = true;
    for (let index = this.#span.from; index < this.#span.to; index++) {
      const [row, element] = [this.#rows[index], this.#element(index)];
      if (row !== undefined && element !== undefined)
        this.#heights.measured(row, element.getBoundingClientRect().height);
    }
  }

  /** What is to be above the rows in the flow so that those which were there before stay in their place. */
  #aboveNow(before: { rows: readonly Row[]; span: Span }): number {
    const [rows, { from, to }] = [this.#rows, this.#span];
    const first = rows[from]?.key;
    if (first === before.rows[before.span.from]?.key) return this.#above;
    const anchor = this.#anchor === undefined ? -1 : indexOf(rows, this.#anchor.key);
    if (this.#goal === undefined && this.#anchor !== undefined && from <= anchor && anchor < to)
      return this.#anchor.y - this.#heights.sum(rows, from, anchor);
    return ABOVE_PX + this.#heights.sum(rows, 0, from);
  }

  #setAbove(above: number): void {
    if (this.#above === above && above !== ABOVE_PX) return;
    this.#above = above;
    if (this.#content !== undefined) this.#content.style.paddingTop = `${Math.max(0, above)}px`;
  }

  #setBelow(below: number): void {
    if (this.#below === below && below !== BELOW_PX) return;
    this.#below = below;
    if (this.#content !== undefined) this.#content.style.paddingBottom = `${below}px`;
  }

  /** The element of a row that is drawn: they stand in the page in their order. */
  #element(index: number): Element | undefined {
    const place = this.#drawn.indexOf(index);
    return place < 0 ? undefined : this.#content?.children[place];
  }
}

/** From the end: that is where one mostly is. */
function indexOf(rows: readonly Row[], key: string): number {
  return rows.findLastIndex((row) => row.key === key);
}
