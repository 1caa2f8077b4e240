/** Where someone is in a list. An entry of the history holds it, so that going back and reloading lead there again. */

/** @import {Place} from "./types.js" */

import { byId } from "./dom.js";

const SCROLLED_MS = 100;

/** The place of the entry that the address is of: kept as someone scrolls, and gone back to once its list is there. */
export class EntryPlace {
  /** @param {HTMLElement} grid */
  constructor(grid) {
    this.grid = grid;
    /** Where to in the list that is on its way; null: not to be scrolled. @type {Place | null} */
    this.returning = null;
    this.timer = 0;
    history.scrollRestoration = "manual"; // The browser would scroll before there is a list.
    window.addEventListener("scroll", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.keep(), SCROLLED_MS);
    }, { passive: true });
    // What is kept while the page hides is lost where it is reloaded at once; Safari on phones knows nothing else.
    for (const leaving of ["beforeunload", "pagehide"]) window.addEventListener(leaving, () => this.keep());
  }

  /** The address is another entry's. @param {boolean} listed Whether the list on the screen is its own. */
  arrive(listed) {
    clearTimeout(this.timer);
    this.returning = listed && !this.returning ? null : (history.state?.place ?? null);
  }

  /** Until someone is where an entry left them, the entry keeps what it knows. */
  keep() {
    clearTimeout(this.timer);
    if (this.returning) return;
    history.replaceState({ ...history.state, place: placeIn(this.grid) }, "");
  }

  /** Before the address is given another entry. */
  leave() {
    this.keep();
    this.returning = null;
  }

  /** Once the list is there. */
  return() {
    if (this.returning) goTo(this.grid, this.returning);
    this.returning = null;
    this.keep();
  }
}

/**
 * The hit at the upper edge of the window and how far from it, which says the place also where the window has another
 * width then.
 *
 * @param {HTMLElement} grid
 * @returns {Place}
 */
function placeIn(grid) {
  const cards = /** @type {HTMLElement[]} */ ([...grid.children]);
  const first = window.scrollY > 0 ? cards.find((card) => top(card) + card.offsetHeight > 0) : undefined;
  const focused = document.activeElement?.closest?.(".card");
  return {
    shown: cards.length,
    ...(first && { id: first.dataset.id, top: top(first) }),
    ...(focused instanceof HTMLElement && { focus: focused.dataset.id }),
  };
}

/** Scrolls there, or to the start, and gives the focus back. @param {HTMLElement} grid @param {Place | null} place */
function goTo(grid, place) {
  const cards = /** @type {HTMLElement[]} */ ([...grid.children]);
  const card = (/** @type {string | undefined} */ id) => cards.find(({ dataset }) => id !== undefined && dataset.id === id);
  const first = card(place?.id);
  if (first) window.scrollBy({ top: top(first) - (place?.top ?? 0), behavior: "instant" });
  else window.scrollTo({ top: 0, behavior: "instant" });
  const focused = card(place?.focus);
  if ([document.body, byId("main")].includes(document.activeElement)) focused?.querySelector("button")?.focus({ preventScroll: true });
}

/** @param {HTMLElement} card */
const top = (card) => card.getBoundingClientRect().top;
