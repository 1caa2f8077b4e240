/** The words of a request where they stand in a product. Data becomes text between <mark>s, never markup. */

import { h } from "./dom.js";

const WORD = /[\p{L}\p{N}]+(?:['’-][\p{L}\p{N}]+)*/gu;
/** Letters that one of two forms may have more than the other: plurals and the like. */
const ENDING = 3;
const BEFORE = 40;
const SNIPPET = 110;

/** @param {string} word */
const fold = (word) => word.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

/**
 * Where terms stand in a text.
 *
 * @param {string} text
 * @param {string[]} terms
 * @returns {{from: number, to: number}[]}
 */
function places(text, terms) {
  const wanted = terms.map(fold).filter(Boolean);
  if (!wanted.length) return [];
  const found = [];
  for (const match of text.matchAll(WORD)) {
    const word = fold(match[0]);
    const fits = wanted.some((term) => {
      const [short, long] = term.length < word.length ? [term, word] : [word, term];
      return short === long || (short.length > 2 && long.startsWith(short) && long.length - short.length <= ENDING);
    });
    if (fits) found.push({ from: match.index, to: match.index + match[0].length });
  }
  return found;
}

/**
 * A text with the terms marked.
 *
 * @param {string} text
 * @param {string[]} terms
 * @returns {(string | HTMLElement)[]}
 */
export function marked(text, terms) {
  const parts = [];
  let at = 0;
  for (const { from, to } of places(text, terms)) {
    parts.push(text.slice(at, from), h("mark", {}, text.slice(from, to)));
    at = to;
  }
  return [...parts, text.slice(at)].filter((part) => part !== "");
}

/**
 * The part of a text that has the first of the terms; null where it has none.
 *
 * @param {string} text
 * @param {string[]} terms
 */
export function snippet(text, terms) {
  const [first] = places(text, terms);
  if (!first) return null;
  const start = first.from <= BEFORE ? 0 : text.indexOf(" ", first.from - BEFORE) + 1 || first.from;
  const from = Math.min(start, first.from);
  return `${from ? "…" : ""}${text.slice(from, from + SNIPPET)}${from + SNIPPET < text.length ? "…" : ""}`;
}
