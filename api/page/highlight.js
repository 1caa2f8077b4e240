/** The words of a request where they stand in a product. Data becomes text between <mark>s, never markup. */

/** @import {Hit, Piece} from "./types.js" */

import { h } from "./dom.js";
import { title } from "./format.js";

/** @param {Piece[]} pieces */
const marks = (pieces) => pieces.map(({ text, marked }) => (marked ? h("mark", {}, text) : text));

/** A hit's title with the words marked. @param {Hit} hit @returns {(string | HTMLElement)[]} */
export const markedTitle = (hit) => (hit.highlights?.title ? marks(hit.highlights.title) : [title(hit)]);

/** Characters before the first word that is shown. */
const BEFORE = 32;

/**
 * The part of a hit's description with the words that its title lacks; null where it has none of them.
 *
 * @param {Hit} hit
 * @returns {(string | HTMLElement)[] | null}
 */
export function markedDescription({ highlights }) {
  const pieces = highlights?.description ?? [];
  const seen = new Set((highlights?.title ?? []).filter(({ marked }) => marked).map(({ text }) => text.toLowerCase()));
  const first = pieces.findIndex(({ text, marked }) => marked && !seen.has(text.toLowerCase()));
  if (first < 0) return null;
  // A card has two lines for it: the first such word is to be on them.
  const before = pieces.slice(0, first).map(({ text }) => text).join("");
  const start = before.length > BEFORE ? before.indexOf(" ", before.length - BEFORE) : -1;
  return start < 0 ? marks(pieces) : [`…${before.slice(start)}`, ...marks(pieces.slice(first))];
}
