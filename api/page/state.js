/** What is asked, its address (so that back, forward, reload and sharing work), and its request. */

/** @import {Query, Kind, Choice, Span} from "./types.js" */

import { photoOf } from "./query_images.js";

const FILTER = "f.";
const PHOTO = "photo";
export const PAGE_SIZE = 24;

/** @type {Query} */
export const NOTHING = { q: "", photo: null, like: null, filters: new Map(), sort: null, browse: false, literal: false, plain: false, product: null };

/** @param {Choice | Span} chosen @returns {chosen is Choice} */
export const isChoice = (chosen) => "values" in chosen;

/** @param {Query} query */
export const hasFilters = (query) => query.filters.size > 0;

/** True when there is something to find things by, and so a best match. @param {Query} query */
export const hasQuestion = (query) => Boolean(query.q.trim() || query.photo || query.like);

/**
 * True when words may be taken for filters. Bounds are said with numbers and mean nothing as words; without any, words are
 * looked for as words, so that what is nearest comes after what fits.
 *
 * @param {Query} query
 */
const interpreted = ({ q, plain, literal }) => /\p{N}/u.test(q) && !plain && !literal;

/** True when there is nothing to search for yet. @param {Query} query */
export const isBlank = (query) => !hasQuestion(query) && !hasFilters(query) && !query.sort && !query.browse;

/** Equal for queries with the same results. @param {Query} query */
export function identity(query) {
  const { product: _, photo, q, filters, ...rest } = query;
  return JSON.stringify({ ...rest, q: q.trim(), filters: [...filters], photo: photo?.key });
}

/** Equal for queries that differ by filters and order alone. @param {Query} query */
export const question = (query) => identity({ ...query, filters: new Map(), sort: null, browse: false, product: null });

/**
 * The query of an address. Filters of fields that the catalog does not have are dropped.
 *
 * @param {string} search `location.search`
 * @param {{photo?: number} | null} entry The history entry's state.
 * @param {Map<string, Kind>} kinds
 * @returns {Query}
 */
export function readAddress(search, entry, kinds) {
  const params = new URLSearchParams(search);
  /** @type {Map<string, Choice | Span>} */
  const filters = new Map();
  for (const name of new Set(params.keys())) {
    const kind = name.startsWith(FILTER) ? kinds.get(name.slice(FILTER.length)) : undefined;
    const chosen = kind && readFilter(params.getAll(name), kind);
    if (chosen) filters.set(name.slice(FILTER.length), chosen);
  }
  const [, field, order] = /^(.+):(asc|desc)$/s.exec(params.get("sort") ?? "") ?? [];
  return {
    q: (params.get("q") ?? "").slice(0, 4000),
    photo: photoOf(entry?.photo),
    like: params.get("like") || null,
    filters,
    sort: field && kinds.has(field) ? { field, order: order === "desc" ? "desc" : "asc" } : null,
    browse: params.has("browse"),
    literal: params.has("literal"),
    plain: params.has("plain"),
    product: params.get("product") || null,
  };
}

/** True when an address is one of a search by a photo that is not here. @param {string} search @param {Query} query */
export const lacksPhoto = (search, query) => new URLSearchParams(search).has(PHOTO) && !query.photo;

/** @param {string[]} written @param {Kind} kind @returns {Choice | Span | null} */
function readFilter(written, kind) {
  if (kind === "keyword") return { values: written };
  if (kind === "bool") {
    const values = written.filter((text) => text === "true" || text === "false").map((text) => text === "true");
    return values.length ? { values } : null;
  }
  const [gte, lte] = written[0].split("..").map((text) => (text === "" ? undefined : Number(text)));
  const span = Object.fromEntries(Object.entries({ gte, lte }).filter(([, bound]) => Number.isFinite(bound)));
  return Object.keys(span).length ? span : null;
}

/** The address of a query, relative to the page. @param {Query} query */
export function writeAddress(query) {
  const params = new URLSearchParams();
  if (query.q.trim()) params.set("q", query.q.trim());
  if (query.like) params.set("like", query.like);
  if (query.photo) params.set(PHOTO, "1");
  for (const [name, chosen] of query.filters) {
    if (isChoice(chosen)) for (const value of chosen.values) params.append(FILTER + name, String(value));
    else params.set(FILTER + name, `${chosen.gte ?? ""}..${chosen.lte ?? ""}`);
  }
  if (query.sort) params.set("sort", `${query.sort.field}:${query.sort.order}`);
  if (query.browse) params.set("browse", "1");
  if (query.literal) params.set("literal", "1");
  if (query.plain) params.set("plain", "1");
  if (query.product) params.set("product", query.product);
  return params.size ? `?${params}` : location.pathname;
}

/**
 * The body of POST /v1/search.
 *
 * @param {Query} query
 * @param {{facets?: string[], groupBy?: string | null, cursor?: string, limit?: number, without?: string}} options
 *   `without` leaves one field's filter out, to count what its other values would give.
 */
export function toRequest(query, { facets, groupBy, cursor, limit = PAGE_SIZE }) {
  const filters = [...query.filters];
  // Made at once: setting fields one by one would lose one that is called `__proto__`.
  const filter = Object.fromEntries(filters.map(([name, chosen]) => [name, isChoice(chosen) ? chosen.values : chosen]));
  // The API refuses to answer a request that asks nothing; this one asks for everything.
  const everything = !hasQuestion(query) && !query.sort && filters.length === 0;
  return {
    ...(query.q.trim() && { text: query.q.trim(), highlight: true }),
    ...(query.literal && { literal: true }),
    ...(interpreted(query) && { interpret: true }),
    ...(query.like && { product_id: query.like }),
    ...(filters.length > 0 && { filter }),
    ...(everything && { filter: {} }),
    ...(query.sort && { sort: [query.sort] }),
    ...(facets?.length && { facets }),
    ...(groupBy && { group_by: groupBy }),
    ...(cursor && { cursor }),
    ...(hasQuestion(query) && { tail: true }),
    limit,
    explain: true,
  };
}
