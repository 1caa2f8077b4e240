/** The grid of hits: one search at a time, and its further pages while scrolling. */

/** @import {Answer, Hit, Query} from "./types.js" */

import { getVariants, MOST_AT_ONCE, search } from "./api.js";
import { card, MOST_VARIANTS, showSwatches, skeleton } from "./cards.js";
import { byId, h } from "./dom.js";
import { number } from "./format.js";
import { PAGE_SIZE, toRequest } from "./state.js";

const SKELETONS = 8;
/** How far below the window the next page begins to load. */
const AHEAD = "700px";

/** @param {number} wanted */
const pageSize = (wanted) => Math.min(MOST_AT_ONCE, Math.max(PAGE_SIZE, wanted));

/**
 * True where the group itself is what was asked for, as nothing else fits: its members are to be seen one by one.
 *
 * @param {Answer} answer
 */
const isOneGroup = ({ hits, total, match }) =>
  total.value === 1 && total.relation === "eq" && match !== "none" && (hits[0]?.group?.siblings ?? 0) > 0;

export class Results {
  /**
   * @param {{onOpen: (id: string) => void, onLike: (id: string) => void, onStatus: (words: string) => void}} actions
   */
  constructor(actions) {
    this.actions = actions;
    this.section = byId("results");
    this.grid = byId("grid");
    this.foot = byId("more");
    this.running = new AbortController();
    /** @type {{query: Query, groupBy: string | null, cursor: string | null} | null} */
    this.page = null;
    /** The next page, while it is on its way. @type {Promise<void> | null} */
    this.loading = null;
    this.shown = new Set();
    this.observer = new IntersectionObserver(([{ isIntersecting }]) => isIntersecting && this.next(), { rootMargin: AHEAD });
    this.button = h("button", { type: "button", class: "quiet", on: { click: () => this.next() } }, "More");
  }

  /** Forgets the list, and any answer on its way. */
  clear() {
    this.running.abort();
    this.page = null;
    this.shown.clear();
    this.grid.replaceChildren();
    this.foot.replaceChildren();
    this.section.setAttribute("aria-busy", "false");
  }

  /**
   * The first page of a query; an earlier one still on its way is dropped.
   *
   * @param {Query} query
   * @param {{facets: string[], groupBy: string | null, shown?: number}} options `shown`: how many hits are wanted at once.
   * @returns {Promise<{answer: Answer, signal: AbortSignal} | null>} Null when a later search took over.
   */
  async run(query, { facets, groupBy, shown = 0 }) {
    this.running.abort();
    this.running = new AbortController();
    const { signal } = this.running;
    this.observer.disconnect();
    this.foot.replaceChildren();
    this.section.setAttribute("aria-busy", "true");
    // A list that is being refined stays, dimmed; only an empty page gets placeholders.
    if (!this.grid.children.length) this.grid.append(...Array.from({ length: SKELETONS }, skeleton));
    try {
      const ask = (/** @type {string | null} */ by) =>
        search(toRequest(query, { facets, groupBy: by, limit: pageSize(shown) }), query.photo, signal);
      let answer = await ask(groupBy);
      if (groupBy && isOneGroup(answer)) answer = await ask((groupBy = null));
      if (signal.aborted) return null;
      this.page = { query, groupBy, cursor: null };
      this.shown.clear();
      this.grid.replaceChildren();
      this.#append(answer);
      await this.#fill(shown);
      return signal.aborted ? null : { answer, signal };
    } catch (error) {
      if (signal.aborted) return null;
      this.clear();
      throw error;
    } finally {
      if (!signal.aborted) this.section.setAttribute("aria-busy", "false");
    }
  }

  /** Further pages until so many hits are shown, or no more come. @param {number} shown */
  async #fill(shown) {
    await this.loading; // The last page of the list before, which is given up.
    for (let before = -1; before < this.shown.size && this.shown.size < shown; ) {
      before = this.shown.size;
      await this.next(pageSize(shown - before));
    }
  }

  /** The next page, where there is one. @param {number} [limit] */
  next(limit) {
    this.loading ??= this.#load(limit).finally(() => (this.loading = null));
    return this.loading;
  }

  /** @param {number} [limit] */
  async #load(limit) {
    if (!this.page?.cursor) return;
    const { query, groupBy, cursor } = this.page;
    const { signal } = this.running;
    this.button.textContent = "Loading…";
    try {
      const answer = await search(toRequest(query, { groupBy, cursor, limit }), query.photo, signal);
      if (signal.aborted) return;
      this.#append(answer);
      this.actions.onStatus(`${number(this.shown.size)} results shown`);
    } catch (error) {
      if (!signal.aborted) this.#failed(/** @type {Error} */ (error));
    } finally {
      this.button.textContent = "More";
    }
  }

  /** @param {Answer} answer */
  #append({ hits, next_cursor }) {
    const page = /** @type {NonNullable<typeof this.page>} */ (this.page);
    const fresh = hits.filter(({ id }) => !this.shown.has(id));
    for (const { id } of fresh) this.shown.add(id);
    const cards = fresh.map((hit) => card(hit, page.query, this.actions));
    const tail = fresh.findIndex((hit) => hit.tail);
    const fitting = this.shown.size - fresh.length + tail;
    const line = tail >= 0 && fitting > 0 && !this.grid.querySelector(".tail-line");
    const pressed = document.activeElement === this.button;
    this.grid.append(...cards);
    void this.#swatches(fresh, cards);
    if (line) cards[tail].before(h("p", { class: "tail-line" }, "Less certain"));
    page.cursor = next_cursor ?? null;
    this.foot.replaceChildren(...(page.cursor ? [this.button] : []));
    if (pressed) (page.cursor ? this.button : cards[0]?.querySelector("button"))?.focus({ preventScroll: true });
    // Observing anew asks again whether the end is in sight: on a tall screen one page may not fill it.
    this.observer.disconnect();
    if (page.cursor) this.observer.observe(this.foot);
  }

  /** @param {Hit[]} hits @param {HTMLElement[]} cards */
  async #swatches(hits, cards) {
    const groups = hits.filter(({ group }) => group && group.siblings > 0);
    if (!groups.length) return;
    const { signal } = this.running;
    const variants = await getVariants(groups, MOST_VARIANTS, signal).catch(() => null); // Then there are none to see.
    if (!variants || signal.aborted) return;
    hits.forEach((hit, i) => showSwatches(cards[i], hit, variants.get(hit.id) ?? [], this.actions.onOpen));
  }

  /** @param {Error} error */
  #failed(error) {
    this.observer.disconnect(); // Or it would try again and again.
    this.foot.replaceChildren(h("p", { role: "alert" }, `More could not be loaded. ${error.message} `), this.button);
  }
}
