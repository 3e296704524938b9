/** Whether somebody is in front of this page: for presence, for dead connections after sleep, for what is to be saved in time. */

import { onWake } from "./background";
import type { Link } from "./socket";

export interface ActivityOptions {
  link: Link;
  /** The page is hidden, frozen or closed: what is not saved now may never be. */
  leaving: () => void;
  /** The page is looked at again, or the device woke up. */
  wake: () => void;
  /** Every few seconds. */
  tick: () => void;
}

const IDLE_AFTER = 5 * 60_000;
const TICK = 5_000;
/** A tick that comes so late was not late: the device slept. */
const SLEPT = 45_000;
const SIGNS_OF_LIFE = ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"] as const;

export class Activity {
  readonly #options: ActivityOptions;
  readonly #listening = new AbortController();
  #ticking: ReturnType<typeof setInterval> | undefined;
  #lastSign = Date.now();
  #lastTick = Date.now();
  #told: "active" | "idle" | undefined;

  constructor(options: ActivityOptions) {
    this.#options = options;
  }

  start(): void {
    this.#ticking = setInterval(() => this.#tick(), TICK);
    if (typeof document === "undefined") return;
    const { link, leaving, wake } = this.#options;
    const options = { signal: this.#listening.signal, passive: true, capture: true };
    for (const sign of SIGNS_OF_LIFE) addEventListener(sign, () => this.#sign(), options);
    addEventListener("online", () => link.input({ type: "network", up: true }), options);
    addEventListener("offline", () => link.input({ type: "network", up: false }), options);
    addEventListener("pagehide", leaving, options);
    addEventListener("pageshow", ({ persisted }) => persisted && wake(), options);
    document.addEventListener("freeze", leaving, options);
    document.addEventListener("resume", wake, options);
    document.addEventListener("visibilitychange", () => (document.hidden ? this.#hidden() : this.#visible()), options);
    onWake(wake, this.#listening.signal);
    if (!navigator.onLine) link.input({ type: "network", up: false });
  }

  stop(): void {
    clearInterval(this.#ticking);
    this.#listening.abort();
  }

  /** Tell the server anew: a fresh socket counts as active. */
  tell(): void {
    this.#told = "active";
    this.#say();
  }

  #sign(): void {
    this.#lastSign = Date.now();
    if (this.#told === "idle") this.#say();
  }

  #visible(): void {
    this.#lastSign = Date.now();
    this.#told = undefined; // the probe that `wake` sends says so
    this.#options.wake();
  }

  #hidden(): void {
    this.#options.leaving();
    this.#say();
  }

  #tick(): void {
    const now = Date.now();
    if (now - this.#lastTick > SLEPT) this.#options.wake();
    this.#lastTick = now;
    this.#say();
    this.#options.tick();
  }

  #say(): void {
    const hidden = typeof document !== "undefined" && document.hidden;
    const state = hidden || Date.now() - this.#lastSign > IDLE_AFTER ? "idle" : "active";
    if (state === this.#told || !this.#options.link.online) return;
    this.#told = state;
    this.#options.link.request("presence.update", { state }).catch(() => (this.#told = undefined));
  }
}
