/** Where someone is in a list. An entry of the history holds it, so that going back and reloading lead there again. */

/** @import {Place} from "./types.js" */

import { byId } from "./dom.js";

/**
 * The hit at the upper edge of the window and how far from it, which says the place also where the window has another
 * width then.
 *
 * @param {HTMLElement} grid
 * @returns {Place}
 */
export function placeIn(grid) {
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
export function goTo(grid, place) {
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
