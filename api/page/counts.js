/** Facet counts that leave room to change one's mind. */

/** @import {Facets, Query} from "./types.js" */

import { search } from "./api.js";
import { toRequest } from "./state.js";

/**
 * Counts of each field that is filtered by, made as if it were not: with its own filter on, its other
 * values would all count zero, and nobody could add one.
 *
 * @param {Query} query
 * @param {string[]} fields
 * @param {string | null} groupBy
 * @param {AbortSignal} signal
 * @returns {Promise<Facets>} Without the fields that could not be counted.
 */
export async function countWithoutOwnFilter(query, fields, groupBy, signal) {
  const ask = (/** @type {string} */ field) =>
    search(toRequest(query, { facets: [field], groupBy, limit: 1, without: field }), query.photo, signal);
  const answers = await Promise.allSettled(fields.map(ask));
  return new Map(answers.flatMap((answer) => (answer.status === "fulfilled" ? [...answer.value.facets] : [])));
}
