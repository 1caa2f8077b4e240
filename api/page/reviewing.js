/**
 * The review: what policies stopped, one product after another, decided by keys. Decisions are sent together, as each
 * sending makes a new generation of the index; until then they can be taken back for nothing.
 */

/** @import {Action, Waiting} from "./types.js" */

import { ApiError, changeKey, decide, getQueue } from "./api.js";
import { byId, clamped, h } from "./dom.js";
import { number } from "./format.js";
import { framed } from "./images.js";

const QUIET_MS = 1000;
const MOST_PENDING = 20;
/** So many before the end of the list further ones are asked for. */
const AHEAD = 10;
const NAME = "storelens.reviewer";

/** @typedef {{product: Waiting, action: Action, before: Action, state: "pending" | "sending" | "saved", withdrawn?: boolean}} Made */

export class Reviewing {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    /** @type {Waiting[]} */
    this.products = [];
    this.total = 0;
    this.at = 0;
    /** @type {string | undefined} */
    this.cursor = undefined;
    /** The decisions of this visit, the latest last. @type {Made[]} */
    this.made = [];
    this.timer = 0;
    /** @type {Promise<void> | null} */
    this.sending = null;
    this.failed = "";
    this.#draw();
    document.addEventListener("keydown", (event) => this.#key(event));
  }

  open() {
    return this.#load(true);
  }

  /** What is not sent yet is sent, though the page goes. */
  leave() {
    void this.#send(true);
  }

  #draw() {
    this.by = h("input", { id: "reviewer", value: localStorage.getItem(NAME) ?? "", maxlength: 200, placeholder: "your name", autocomplete: "name", on: { input: () => localStorage.setItem(NAME, this.by.value.trim()) } });
    this.which = h("select", { id: "queue", on: { change: () => this.#load(true) } },
      h("option", { value: "review" }, "Waiting for a review"), h("option", { value: "block" }, "Blocked"), h("option", { value: "allow" }, "Allowed by somebody"));
    this.count = h("p", { class: "soft" });
    this.state = h("p", { class: "save-state", role: "status" });
    this.list = h("ol", { class: "queue", "aria-label": "Products" });
    this.card = h("article", { class: "judging", "aria-live": "polite" });
    const key = (/** @type {string} */ letter) => h("kbd", {}, letter);
    const act = (/** @type {Action} */ action, /** @type {string} */ words, /** @type {string} */ letter, kind = "quiet") =>
      h("button", { type: "button", class: `${kind} act-${action}`, on: { click: () => this.#decide(action) } }, words, key(letter));
    this.undo = h("button", { type: "button", class: "quiet", on: { click: () => this.#undo() } }, "Undo", key("u"));
    this.acts = h("div", { class: "acts" }, act("allow", "Allow", "a", "primary"), act("block", "Block", "b"), this.undo,
      h("span", { class: "soft fine-only" }, key("j"), " ", key("k"), " or arrows: next and previous"));
    this.error = h("div", { class: "wrong", role: "alert" });
    this.root.replaceChildren(
      h("div", { class: "review-head" },
        h("div", {}, h("label", { for: "reviewer" }, "You are"), this.by),
        h("div", {}, h("label", { for: "queue" }, "Products"), this.which), this.count, this.state),
      this.error,
      h("div", { class: "review-grid" }, h("div", {}, this.card, this.acts), this.list));
  }

  /** @param {boolean} anew */
  async #load(anew) {
    try {
      if (anew) await this.#send();
      const { products, total, next_cursor } = await getQueue(this.which.value, anew ? undefined : this.cursor);
      const known = new Set(anew ? [] : this.products.map(({ id }) => id));
      this.products = anew ? products : [...this.products, ...products.filter(({ id }) => !known.has(id))];
      this.cursor = next_cursor;
      this.error.replaceChildren();
      if (anew) [this.at, this.total, this.made] = [0, total, []];
      this.#show();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** The latest decision about a product. @param {Waiting} product */
  #of(product) {
    return this.made.findLast((one) => one.product === product);
  }

  #show() {
    const product = this.products[this.at];
    this.acts.hidden = !product;
    this.undo.disabled = !this.made.length;
    const left = this.total - new Set(this.made.map((one) => one.product)).size;
    this.count.textContent = `${number(Math.max(left, 0))} of ${number(this.total)} left`;
    const pending = this.made.filter(({ state }) => state !== "saved").length;
    this.state.replaceChildren(
      ...(this.failed
        ? [h("span", { class: "wrong" }, `Could not be saved: ${this.failed} `), h("button", { type: "button", class: "link", on: { click: () => this.#send() } }, "Try again")]
        : [pending ? `${number(pending)} not saved yet` : this.made.length ? "All saved" : ""]),
    );
    this.list.replaceChildren(...this.products.map((one, i) => this.#row(one, i)));
    this.#scroll();
    this.card.replaceChildren(...(product ? this.#detail(product) : [h("p", { class: "headline" }, "Nothing is waiting"), h("p", { class: "lead" }, this.which.value === "review" ? "No policy asks for a look at anything." : "There is none.")]));
  }

  /** Brings the product's row into sight within the list; the page itself stays where it is. */
  #scroll() {
    const [list, row] = [this.list, this.list.children[this.at]].map((element) => element?.getBoundingClientRect());
    if (!row) return;
    if (row.top < list.top) this.list.scrollTop -= list.top - row.top;
    else if (row.bottom > list.bottom) this.list.scrollTop += row.bottom - list.bottom;
  }

  /** @param {Waiting} product @param {number} i */
  #row(product, i) {
    const action = this.#of(product)?.action;
    const button = h("button", { type: "button", "aria-current": i === this.at ? "true" : null, on: { click: () => this.#go(i) } },
      framed(product.images[0], ""), clamped(String(product.product.title ?? product.id)), action && h("span", { class: `badge ${action}` }, action));
    return h("li", {}, button);
  }

  /** @param {Waiting} waiting */
  #detail(waiting) {
    const { id, product, images, rules, policy, version, appeal } = waiting;
    const made = this.#of(waiting);
    const name = String(product.title ?? id);
    return [
      h("div", { class: "judging-images" }, ...images.slice(0, 4).map((address) => framed(address, `Image of ${name}`, { lazy: false })), images.length ? "" : framed(undefined, name)),
      h("div", { class: "judging-text" },
        h("h2", {}, name),
        h("p", {}, h("span", { class: `badge ${made?.action ?? waiting.action}` }, made?.action ?? waiting.action), " ",
          h("span", { class: "soft" }, policy ? `${policy}, version ${version}` : "")),
        ...rules.map(({ rule, score, threshold }) => h("p", { class: "fired" }, h("strong", {}, rule), h("span", { class: "soft" }, ` scores ${score.toFixed(3)}${threshold === null ? "" : `, and fires from ${threshold.toFixed(3)}`}`))),
        appeal && h("p", { class: "soft" }, `${appeal.by} decided: ${appeal.action}${appeal.note ? ` (${appeal.note})` : ""}`),
        product.description && clamped(String(product.description), "p", { class: "soft description" }),
        h("p", { class: "soft" }, [product.brand, product.category, id].filter(Boolean).join(" · "))),
    ];
  }

  /** @param {number} at */
  #go(at) {
    this.at = Math.min(Math.max(at, 0), Math.max(this.products.length - 1, 0));
    this.#show();
    if (this.cursor && this.at >= this.products.length - AHEAD) void this.#load(false);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (this.root.hidden || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog:modal")) return;
    if (event.target instanceof Element && event.target.matches("input, textarea, select, [role=tab]")) return;
    /** @type {Record<string, () => void>} */
    const keys = {
      j: () => this.#go(this.at + 1), ArrowDown: () => this.#go(this.at + 1), ArrowRight: () => this.#go(this.at + 1),
      k: () => this.#go(this.at - 1), ArrowUp: () => this.#go(this.at - 1), ArrowLeft: () => this.#go(this.at - 1),
      a: () => this.#decide("allow"), b: () => this.#decide("block"), u: () => this.#undo(),
    };
    const act = keys[event.key];
    if (!act || (event.repeat && "abu".includes(event.key))) return;
    event.preventDefault();
    act();
  }

  /** @param {Action} action */
  #decide(action) {
    const product = this.products[this.at];
    if (!product) return;
    if (!this.by.value.trim()) {
      this.error.replaceChildren(h("p", {}, "Say who you are first: decisions carry a name."));
      this.by.focus();
      return;
    }
    this.error.replaceChildren();
    this.made.push({ product, action, before: this.#of(product)?.action ?? product.action, state: "pending" });
    byId("status").textContent = `${product.product.title ?? product.id}: ${action}`;
    this.#later();
    const next = this.products.findIndex((one, i) => i > this.at && !this.#of(one));
    this.#go(next < 0 ? this.at + 1 : next);
  }

  #undo() {
    const last = this.made.pop();
    if (!last) return;
    byId("status").textContent = `${last.product.product.title ?? last.product.id}: back to ${last.before}`;
    // What is with the server is taken back there, or decided anew as another decision had it before.
    const withdrawn = !last.product.appeal && !this.made.some((one) => one.product === last.product);
    if (last.state !== "pending") this.made.push({ ...last, action: last.before, before: last.action, withdrawn, state: "pending" });
    this.#later();
    this.#go(this.products.indexOf(last.product));
  }

  #later() {
    clearTimeout(this.timer);
    const pending = this.made.filter(({ state }) => state === "pending").length;
    if (pending >= MOST_PENDING) void this.#send();
    else if (pending) this.timer = setTimeout(() => this.#send(), QUIET_MS);
  }

  /** Sends what waits, one sending at a time. @param {boolean} [leaving] */
  async #send(leaving = false) {
    clearTimeout(this.timer);
    if (!leaving) await this.sending;
    const pending = this.made.filter(({ state }) => state === "pending");
    if (!pending.length) return;
    // A product that was decided about twice meanwhile has its last decision.
    const last = new Map(pending.map((one) => [one.product.id, one.withdrawn ? null : one.action]));
    for (const one of pending) one.state = "sending";
    this.sending = decide(this.by.value.trim(), [...last].map(([id, action]) => ({ id, action })), leaving).then(
      () => {
        this.failed = "";
        for (const one of pending) one.state = "saved";
      },
      (/** @type {Error} */ error) => {
        this.failed = error.message;
        for (const one of pending) one.state = "pending";
      },
    );
    await this.sending;
    this.sending = null;
    if (!leaving) this.#show();
  }

  /** @param {unknown} error */
  #fail(error) {
    if (!(error instanceof ApiError)) throw error;
    this.products = [];
    this.#show();
    const other = async () => (await changeKey(), this.#load(true));
    const words = error.status === 404 ? "This server has no review." : `${error.title}. ${error.message}`;
    this.card.replaceChildren();
    this.error.replaceChildren(h("p", {}, `${words} `, error.status === 403 && h("button", { type: "button", class: "link", on: { click: other } }, "Use another key")));
  }
}
