/** Data as people read it: names, numbers, prices, and why a product was found. */

/** @import {Answer, Explanation, Hit, Leg, Query, Span, Value} from "./types.js" */

const UNITS = new Map(["g", "mg", "kg", "kJ", "kcal", "ml", "l", "mm", "cm", "m", "W", "V"].map((unit) => [unit.toLowerCase(), unit]));
const NUMBERS = new Intl.NumberFormat(navigator.language, { maximumFractionDigits: 2 });

/** @param {number} number */
export const number = (number) => NUMBERS.format(number);

/** A field's name for people: `protein_g` is “Protein (g)”. @param {string} field */
export function label(field) {
  const words = field.split(/[_\s]+/).filter(Boolean);
  const unit = words.length > 1 ? UNITS.get(words[words.length - 1].toLowerCase()) : undefined;
  const name = (unit ? words.slice(0, -1) : words).join(" ") || field;
  return name.charAt(0).toUpperCase() + name.slice(1) + (unit ? ` (${unit})` : "");
}

/** @param {Value} value @returns {string} */
export function say(value) {
  if (typeof value === "boolean") return value ? "Yes" : "No";
  return typeof value === "number" ? number(value) : value;
}

/** What is ticked of a field. @param {string} field @param {Value} value */
export const choiceWords = (field, value) => (typeof value === "boolean" ? `${label(field)}: ${say(value)}` : say(value));

/** What is left of a number. @param {Span} span */
export function spanWords({ gte, lte }) {
  if (gte === undefined) return `up to ${number(lte ?? 0)}`;
  return lte === undefined ? `from ${number(gte)}` : `${number(gte)} to ${number(lte)}`;
}

/** @param {Record<string, any>} product @returns {string | null} */
export function price({ price, currency }) {
  if (typeof price !== "number") return null;
  try {
    return new Intl.NumberFormat(navigator.language, { style: "currency", currency }).format(price);
  } catch {
    // No currency, or not one that the browser knows.
    const plain = price.toLocaleString(navigator.language, { minimumFractionDigits: Number.isInteger(price) ? 0 : 2 });
    return currency ? `${plain} ${currency}` : plain;
  }
}

/** @param {Hit} hit @returns {string} */
export const title = (hit) => String(hit.product.title || hit.product.category || hit.id);

/** “Results”, not “products”: variants are collapsed to one. @param {Answer["total"]} total */
export function totalWords({ value, relation }) {
  const results = value === 1 ? "result" : "results";
  return relation === "gte" ? `At least ${number(value)} ${results}` : `${number(value)} ${results}`;
}

/** What a leg means, when it found something. @type {[string, (like: boolean) => string][]} */
const MEANINGS = [
  ["lexical", () => "Same words"],
  ["image->image", (like) => (like ? "Looks alike" : "Looks like your photo")],
  ["text->image", () => "Image fits your words"],
  ["text->title", () => "Similar meaning"],
  ["text->text", () => "Similar meaning"],
  ["image->text", (like) => (like ? "Description fits its image" : "Description fits your photo")],
  ["image->title", (like) => (like ? "Title fits its image" : "Title fits your photo")],
];
const LEGS = new Map(MEANINGS);
/** A leg that counts less than this share of the strongest one is not a reason. */
const WORTH_SAYING = 0.3;
const MOST_REASONS = 3;

const EXACT = {
  id: "Exact product id",
  code: "Exact product number",
  title: "Exact title",
  text: "Exact words",
  part: "Part of its product number",
};

/** @param {string} leg @param {Query} query */
export const legWords = (leg, query) => LEGS.get(leg)?.(Boolean(query.like)) ?? leg;

/** How much a leg gave to the score. @param {Leg} leg */
export const strength = (leg) => Math.max(0, leg.normalized * leg.weight);

/**
 * Why a product was found, strongest reason first; empty in a browse.
 *
 * @param {Explanation | undefined} explain
 * @param {Query} query
 * @returns {string[]}
 */
export function reasons(explain, query) {
  if (!explain) return [];
  const said = [];
  if (explain.exact) said.push(EXACT[explain.exact]);
  const legs = [...explain.legs].sort((a, b) => strength(b) - strength(a));
  const least = strength(legs[0] ?? { normalized: 0, weight: 0 }) * WORTH_SAYING;
  const terms = explain.matched_terms.slice(0, 4).join(", ");
  for (const leg of legs) {
    if (strength(leg) <= 0 || strength(leg) < least) continue;
    const words = leg.leg === "lexical" && terms ? `Words: ${terms}` : legWords(leg.leg, query);
    if (!said.includes(words)) said.push(words);
  }
  return said.slice(0, MOST_REASONS);
}

/** Said by marks in the words of a card themselves, or of nearly every card. */
const UNSAID = new Set(["lexical", "text->title", "text->text"]);

/**
 * Why a product was found, as far as its card does not show it.
 *
 * @param {Explanation | undefined} explain
 * @param {Query} query
 */
export function cardReasons(explain, query) {
  const legs = explain?.legs.filter(({ leg }) => !UNSAID.has(leg)) ?? [];
  const strongest = Math.max(0, ...(explain?.legs ?? []).map(strength));
  return explain ? reasons({ ...explain, legs: legs.filter((leg) => strength(leg) >= strongest * WORTH_SAYING) }, query) : [];
}
