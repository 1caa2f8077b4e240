/** Which facets a catalog gets, and the panel that shows them. */

/** @import {Adjusting, Catalog, Choice, Facet, Facets, Field, Filters, Kind, Span} from "./types.js" */

import { ChoiceFacet } from "./choice_facet.js";
import { clamped, h } from "./dom.js";
import { label } from "./format.js";
import { RangeFacet } from "./range_facet.js";

const FIRST = ["category", "brand", "color", "in_stock", "tags", "price"];
const BY_KIND = { keyword: 0, bool: 1, integer: 2, float: 2 };
const SKIPPED = new Set(["id", "group_id", "currency", "language"]);
const MOST_COUNTED = 31; // The API counts 32 fields a request; one is left for the groups.
const MOST_SHOWN = 16;
const MOST_OPEN = 8;

/** @param {Kind} kind */
export const isNumber = (kind) => kind === "integer" || kind === "float";

/** Fields that may make facets, most useful first. @param {Catalog} catalog @returns {Field[]} */
export function candidates({ fields }) {
  const place = (/** @type {Field} */ { name, kind }) =>
    FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length + BY_KIND[kind];
  return fields
    .filter(({ name }) => !SKIPPED.has(name))
    .sort((a, b) => place(a) - place(b))
    .slice(0, MOST_COUNTED);
}

/**
 * The candidates that divide the catalog: not the same everywhere, not another value for every product.
 *
 * @param {Field[]} fields
 * @param {Facets} facets Counted over the whole catalog.
 */
export function useful(fields, facets) {
  return fields.filter(({ name, kind }) => divides(facets.get(name), kind)).slice(0, MOST_SHOWN);
}

/** @param {Facet | undefined} facet @param {Kind} kind */
function divides(facet, kind) {
  if (!facet) return false;
  if (isNumber(kind)) return (facet.min ?? 0) < (facet.max ?? 0);
  const counted = facet.values.reduce((sum, { count }) => sum + count, 0);
  const choices = facet.values.length + (facet.missing > 0 ? 1 : 0);
  return facet.values.length > 0 && choices > 1 && (facet.values.length <= 4 || counted / facet.values.length >= 1.5);
}

export class FacetPanel {
  /**
   * @param {HTMLElement} root
   * @param {Field[]} fields
   * @param {(field: string, chosen: Choice | Span | null, adjusting?: Adjusting) => void} onChange
   */
  constructor(root, fields, onChange) {
    this.groups = fields.map(({ name, kind }) => {
      const change = (/** @type {Choice | Span | null} */ chosen, /** @type {Adjusting} */ adjusting) =>
        onChange(name, chosen, adjusting);
      const facet = isNumber(kind) ? new RangeFacet(name, kind, change) : new ChoiceFacet(name, change);
      const element = h("details", { class: "facet", open: true }, h("summary", {}, clamped(label(name))), facet.element);
      return { name, facet, element };
    });
    this.rest = h("details", { class: "more-filters" }, h("summary", {}, "More filters"));
    this.rest.append(...this.groups.slice(MOST_OPEN).map(({ element }) => element));
    this.rest.hidden = this.groups.length <= MOST_OPEN;
    root.replaceChildren(
      h("h2", { class: "filters-title" }, "Filters"),
      ...this.groups.slice(0, MOST_OPEN).map(({ element }) => element),
      this.rest,
    );
  }

  /**
   * Shows what a result leaves to choose from; a field without a new facet keeps the one it has.
   *
   * @param {Facets} facets
   * @param {Filters} filters
   */
  update(facets, filters) {
    for (const { name, facet, element } of this.groups) {
      const counted = facets.get(name);
      if (!counted) continue;
      const chosen = /** @type {any} */ (filters.get(name));
      element.hidden = !facet.update(counted, chosen);
    }
    const rest = this.groups.slice(MOST_OPEN);
    this.rest.hidden = rest.every(({ element }) => element.hidden);
    if (rest.some(({ name }) => filters.has(name))) this.rest.open = true;
  }
}
