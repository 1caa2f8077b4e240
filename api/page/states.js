/** What the page says when there is no list of products: where to start, nothing found, something wrong. */

/** @import {Catalog, Facets, Hit, Query} from "./types.js" */

import { ApiError } from "./api.js";
import { clamped, h, icon } from "./dom.js";
import { number, title } from "./format.js";
import { framed } from "./images.js";
import { hasFilters } from "./state.js";

const MOST_EXAMPLES = 7;
const LONGEST_EXAMPLE = 40;

/**
 * Searches to try, made of the catalog's own words.
 *
 * @param {Facets} facets
 * @param {Hit[]} samples
 */
export function examples(facets, samples) {
  const top = (/** @type {string} */ field, /** @type {number} */ n) =>
    (facets.get(field)?.values ?? []).slice(0, n).map(({ value }) => String(value));
  const [color] = top("color", 1);
  const [category] = top("category", 1);
  const colored = color && category ? [`${color} ${category}`.toLowerCase()] : [];
  const names = samples.slice(0, 3).map(title);
  return [...new Set([...colored, ...top("category", 3), ...names, ...top("brand", 2), ...top("tags", 1)])]
    .filter((words) => words.trim() && words.length <= LONGEST_EXAMPLE)
    .slice(0, MOST_EXAMPLES);
}

/** The largest categories; null where there are none. @param {Facets} facets */
export function kinds(facets) {
  const values = facets.get("category")?.values ?? [];
  return values.length > 1 ? values.slice(0, MOST_EXAMPLES).map(({ value }) => String(value)) : null;
}

/**
 * The first visit.
 *
 * @param {{catalog: Catalog, counts: Facets}} known
 * @param {Hit[]} samples
 * @param {{onWords: (q: string) => void, onImage: (hit: Hit) => void, onChoose: () => void, onBrowse: () => void}} actions
 */
export function welcome({ catalog, counts }, samples, { onWords, onImage, onChoose, onBrowse }) {
  const words = examples(counts, samples).map((q) => h("li", {}, button(q, () => onWords(q), "pill")));
  const images = samples.filter(({ images }) => images.length > 0).map((hit) => {
    const on = { click: () => onImage(hit) };
    return h("li", {}, h("button", { type: "button", on }, framed(hit.images[0], `Search by the image of ${title(hit)}`)));
  });
  return h(
    "div",
    { class: "welcome" },
    h("p", { class: "headline" }, "Find it by words, by a photo, or by both."),
    h("p", { class: "lead" }, `${number(catalog.products)} products, searched by what they are and how they look.`),
    h(
      "button",
      { type: "button", class: "dropzone", on: { click: onChoose } },
      icon("camera"),
      h("span", {}, h("strong", {}, "Choose a photo"), h("span", { class: "fine-only" }, ", drop one anywhere, or paste it")),
    ),
    words.length > 0 && h("section", {}, h("h2", {}, "Try some words"), h("ul", { class: "pills" }, ...words)),
    images.length > 0 && h("section", {}, h("h2", {}, "Or start from an image"), h("ul", { class: "samples" }, ...images)),
    catalog.products > 0
      ? button("Browse everything", onBrowse, "link")
      : h("p", {}, "The catalog is empty: run an ingest first."),
  );
}

/**
 * Nothing found.
 *
 * @param {Query} query
 * @param {{onClearFilters: () => void, onClearPhoto: () => void, onClearWords: () => void, onBrowse: () => void}} actions
 */
export function empty(query, { onClearFilters, onClearPhoto, onClearWords, onBrowse }) {
  const about = query.q.trim() ? ` for “${query.q.trim()}”` : "";
  const image = query.photo || query.like;
  return message(
    "search",
    `Nothing found${about}`,
    hasFilters(query) ? "Nothing fits all of the filters." : "Try fewer or more common words, or a photo of what you mean.",
    hasFilters(query) && button("Remove the filters", onClearFilters, "primary"),
    image && query.q.trim() && button("Search by the words only", onClearPhoto),
    image && query.q.trim() && button("Search by the image only", onClearWords),
    button("Browse everything", onBrowse),
  );
}

/**
 * Nothing that fits, above what is nearest, with what else may be tried.
 *
 * @param {Query} query
 * @param {string[]} words Searches that find something.
 * @param {{onClearFilters: () => void, onClearPhoto: () => void, onClearWords: () => void, onBrowse: () => void, onWords: (q: string) => void}} actions
 */
export function nearest(query, words, { onClearFilters, onClearPhoto, onClearWords, onBrowse, onWords }) {
  const image = query.photo || query.like;
  const asked = query.q.trim() ? `“${query.q.trim()}”` : "this image";
  const pills = words.map((q) => h("li", {}, button(q, () => onWords(q), "pill")));
  return h(
    "section",
    { class: "nearest", "aria-labelledby": "nearest-title" },
    clamped(`Nothing here matches ${asked}`, "h2", { id: "nearest-title" }),
    h("p", {}, hasFilters(query) ? "Nothing within the filters, that is." : "The catalog does not seem to have it."),
    h(
      "div",
      { class: "nearest-ways" },
      hasFilters(query) && button("Remove the filters", onClearFilters, "primary"),
      image && query.q.trim() && button("Search by the words only", onClearPhoto),
      image && query.q.trim() && button("Search by the image only", onClearWords),
      button("Browse everything", onBrowse),
    ),
    pills.length > 0 && h("div", {}, h("p", { class: "nearest-try" }, "What there is:"), h("ul", { class: "pills" }, ...pills)),
    h("p", { class: "tail-line" }, "Nearest, though none of these fits"),
  );
}

/** Above hits of which none is certain. @param {Query} query */
export function unsure(query) {
  const asked = query.q.trim() ? `“${query.q.trim()}”` : "this image";
  return h("p", { class: "unsure" }, clamped(`No clear match for ${asked}. These may be what you mean.`));
}

/**
 * A failure, in the server's own words where it had some.
 *
 * @param {unknown} error
 * @param {{onRetry: () => void, onRestart: () => void}} actions
 */
export function failure(error, { onRetry, onRestart }) {
  const known = error instanceof ApiError ? error : new ApiError("Something went wrong on this page", String(error));
  const errors = known.errors.filter(({ message }) => message && message !== known.message);
  return message(
    known.offline ? "offline" : "alert",
    known.title,
    known.message,
    errors.length > 0 && h("ul", {}, ...errors.map((e) => h("li", {}, [e.field, e.message].filter(Boolean).join(": ")))),
    button("Try again", onRetry, "primary"),
    button("Start over", onRestart),
  );
}

/** @param {Parameters<typeof icon>[0]} sign @param {string} heading @param {string} text @param {...any} rest */
function message(sign, heading, text, ...rest) {
  return h("div", { class: "message" }, icon(sign), clamped(heading, "h2"), h("p", {}, text), ...rest);
}

/** @param {string} words @param {() => void} click */
function button(words, click, kind = "quiet") {
  return h("button", { type: "button", class: kind, on: { click } }, words);
}
