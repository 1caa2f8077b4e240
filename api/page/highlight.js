/** The words of a request where they stand in a product. Data becomes text between <mark>s, never markup. */

/** @import {Hit, Piece} from "./types.js" */

import { h } from "./dom.js";
import { title } from "./format.js";

/** @param {Piece[]} pieces */
const marks = (pieces) => pieces.map(({ text, marked }) => (marked ? h("mark", {}, text) : text));

/** A hit's title with the words marked. @param {Hit} hit @returns {(string | HTMLElement)[]} */
export const markedTitle = (hit) => (hit.highlights?.title ? marks(hit.highlights.title) : [title(hit)]);

/**
 * The part of a hit's description with the words that its title lacks; null where it has none of them.
 *
 * @param {Hit} hit
 * @returns {(string | HTMLElement)[] | null}
 */
export function markedDescription({ highlights }) {
  const words = (/** @type {Piece[] | undefined} */ pieces) =>
    (pieces ?? []).filter(({ marked }) => marked).map(({ text }) => text.toLowerCase());
  const seen = new Set(words(highlights?.title));
  return words(highlights?.description).some((word) => !seen.has(word)) ? marks(highlights?.description ?? []) : null;
}
