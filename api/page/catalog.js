/** What the page learns of a catalog before it asks anything: its fields, which of them divide it, a few products. */

/** @import {Catalog, Facets, Field, Hit, Kind} from "./types.js" */

import { getCatalog, search } from "./api.js";
import { candidates, useful } from "./facets.js";
import { NOTHING, toRequest } from "./state.js";

const SAMPLES = 6;

/**
 * @typedef {{catalog: Catalog, kinds: Map<string, Kind>, fields: Field[], faceted: Field[],
 *   counts: Facets, hits: Hit[], groupBy: string | null}} Knowledge
 *   `fields` may be sorted by, `faceted` are worth a facet, `counts` are over the whole catalog.
 */

/** @returns {Promise<Knowledge>} */
export async function learn() {
  const catalog = await getCatalog();
  const fields = candidates(catalog);
  const facets = [...fields.map(({ name }) => name), "group_id"];
  const { facets: counts, hits } = await search(toRequest(NOTHING, { facets, limit: SAMPLES }), null);
  return {
    catalog,
    kinds: new Map(catalog.fields.map(({ name, kind }) => [name, kind])),
    fields,
    faceted: useful(fields, counts),
    counts,
    hits,
    groupBy: (counts.get("group_id")?.values[0]?.count ?? 0) > 1 ? "group_id" : null,
  };
}

/**
 * Products to start from: one of each of the largest categories, so that they differ.
 *
 * @param {Knowledge} known
 * @returns {Promise<Hit[]>}
 */
export async function samples({ counts, hits }) {
  const categories = counts.get("category")?.values.slice(0, SAMPLES).map(({ value }) => value) ?? [];
  if (categories.length < 2) return hits;
  const ask = (/** @type {any} */ value) =>
    search(toRequest({ ...NOTHING, filters: new Map([["category", { values: [value] }]]) }, { limit: 1 }), null);
  const answers = await Promise.allSettled(categories.map(ask));
  return answers.flatMap((answer) => (answer.status === "fulfilled" ? answer.value.hits : []));
}
