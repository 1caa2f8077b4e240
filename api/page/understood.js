/** What was made of the words of a question: parts taken for filters, corrections and synonyms, each with the way back. */

/** @import {Choice, Kind, Query, Span, Understood} from "./types.js" */

import { clamped, h } from "./dom.js";
import { choiceWords, label, number, spanWords } from "./format.js";

/** Of one word that no product has. */
const MOST_SYNONYMS = 6;

/**
 * What words of the request were taken for, part by part. Where one is not what was meant, words are taken for words from
 * then on, and the other parts are filters of their own.
 *
 * @param {Understood} understood
 * @param {Query} query
 * @param {ReadonlyMap<string, Kind>} kinds
 * @param {(change: Partial<Query>) => void} onChange
 */
export function takenFilters({ filter = {}, excluded = [] }, query, kinds, onChange) {
  const parts = Object.entries(filter).flatMap(([name, value]) =>
    kinds.has(name) || !Array.isArray(value) ? [{ [name]: value }] : name === "all" ? value : [{ [name]: value }],
  );
  const own = (/** @type {Record<string, any>} */ part) => Object.entries(part).map(([name, value]) => partWords(name, value, kinds));
  const taken = parts.map((part) => {
    const others = parts.filter((other) => other !== part).flatMap((other) => Object.entries(other));
    const kept = others.flatMap(([name, value]) => (kinds.has(name) && !query.filters.has(name) ? [[name, asChosen(value)]] : []));
    const filters = new Map([...query.filters, .../** @type {[string, any][]} */ (kept)]);
    return { words: own(part).join(", "), remove: () => onChange({ plain: true, filters }) };
  });
  return [...taken, ...excluded.map((word) => ({ words: `without ${word}`, remove: () => onChange({ literal: true }) }))];
}

/** @param {string} name @param {any} value @param {ReadonlyMap<string, Kind>} kinds @returns {string} */
function partWords(name, value, kinds) {
  if (!kinds.has(name) && Array.isArray(value)) {
    const each = value.map((one) => Object.entries(one).map(([field, its]) => partWords(field, its, kinds)).join(", "));
    return [...new Set(each)].join(name === "any" ? " or " : ", ");
  }
  if (typeof value !== "object" || Array.isArray(value)) return [value].flat().map((one) => choiceWords(name, one)).join(" or ");
  const { lt, gt, ...span } = value;
  const ends = [gt !== undefined && `above ${number(gt)}`, lt !== undefined && `below ${number(lt)}`].filter(Boolean);
  return `${label(name)}: ${[...(Object.keys(span).length ? [spanWords(span)] : []), ...ends].join(", ")}`;
}

/** As a filter of the page, whose ranges have their ends. @param {any} value @returns {Choice | Span} */
function asChosen(value) {
  if (typeof value !== "object" || Array.isArray(value)) return { values: [value].flat() };
  const { lt, gt, gte = gt, lte = lt } = value;
  return { ...(gte !== undefined && { gte }), ...(lte !== undefined && { lte }) };
}

/**
 * What was corrected and what else was looked for.
 *
 * @param {Query} query
 * @param {Understood | undefined} words
 * @param {(literal: boolean) => void} onLiteral
 */
export function correctionWords(query, words, onLiteral) {
  const link = (/** @type {string} */ name, /** @type {boolean} */ literal) =>
    h("button", { type: "button", class: "link", on: { click: () => onLiteral(literal) } }, name);
  if (query.literal && words) {
    return [h("span", {}, "Looked for the words as they are written, without corrections and synonyms. "), link("Allow them", false)];
  }
  if (!words?.corrected && !words?.expanded?.length) return [];
  const others = (words.expanded ?? []).map(({ word, synonyms }) => `${word}: ${synonyms.slice(0, MOST_SYNONYMS).join(", ")}`);
  return [
    ...(words.corrected ? [h("span", {}, "Showing results for "), h("strong", {}, clamped(words.corrected)), " "] : []),
    ...(others.length ? [h("span", {}, "Also looked for "), h("strong", {}, clamped(others.join("; "))), " "] : []),
    link(`Search for “${words.text}” as written`, true),
  ];
}
