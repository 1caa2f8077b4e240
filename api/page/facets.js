/** Which facets a catalog gets, and the panel that shows them. */

/** @import {Adjusting, Catalog, Choice, Facet, Facets, Field, Filters, Kind, Span} from "./types.js" */

import { ChoiceFacet } from "./choice_facet.js";
import { byId, clamped, h } from "./dom.js";
import { label } from "./format.js";
import { RangeFacet } from "./range_facet.js";

const FIRST = ["category", "brand", "color", "in_stock", "tags", "price"];
const BY_KIND = { keyword: 0, bool: 1, integer: 2, float: 2 };
const SKIPPED = new Set(["id", "group_id", "currency", "language"]);
const MOST_COUNTED = 31; // The API counts 32 fields a request; one is left for the groups.
const MOST_SHOWN = 16;
/** Facets before “More filters”, and those of them that stand open. */
const MOST_FIRST = 8;
const MOST_OPEN = 3;

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
    this.root = root;
    this.groups = fields.map(({ name, kind }) => new Group(name, kind, onChange));
    /** The question that the order is for: it stays while someone narrows what they asked for. @type {string | null} */
    this.orderedFor = null;
    /** @type {number | undefined} */
    this.total = undefined;
    this.title = h("h2", { class: "filters-title" }, "Filters");
    this.rest = h("details", { class: "more-filters" }, h("summary", {}, "More filters"));
    this.#arrange();
  }

  /**
   * Shows what a result leaves to choose from; a field without a new facet keeps the one it has.
   *
   * @param {Facets} facets
   * @param {Filters} filters
   * @param {{order: string[], of: string, total: number | undefined}} [found] Fields as the answer has them, most useful
   *   first, to what question, and of how many hits.
   */
  update(facets, filters, found) {
    this.total = found?.total ?? this.total;
    for (const group of this.groups) group.update(facets.get(group.name), filters.get(group.name), this.total);
    if (found && found.of !== this.orderedFor) {
      const place = new Map(found.order.map((name, i) => [name, i]));
      this.groups.sort((a, b) => (place.get(a.name) ?? Infinity) - (place.get(b.name) ?? Infinity) || 0);
      this.orderedFor = found.of;
      this.#arrange();
    }
    const folded = this.groups.filter(({ element }) => element.parentElement === this.rest);
    this.rest.hidden = folded.every(({ element }) => element.hidden);
    if (folded.some(({ name }) => filters.has(name))) this.rest.open = true;
    this.root.hidden = this.groups.every(({ element }) => element.hidden);
    byId("filters-open").hidden = this.root.hidden;
  }

  /** The first that have something to choose from stand open, others folded, and the last ones among the rest. */
  #arrange() {
    const focused = document.activeElement;
    const shown = this.groups.filter(({ element }) => !element.hidden);
    shown.filter((group) => !group.ranged).forEach((group, i) => group.open(i < MOST_OPEN));
    const first = new Set(shown.slice(0, MOST_FIRST));
    const [above, below] = [this.groups.filter((group) => first.has(group)), this.groups.filter((group) => !first.has(group))];
    const summary = /** @type {HTMLElement} */ (this.rest.firstElementChild);
    this.rest.replaceChildren(summary, ...below.map(({ element }) => element));
    this.root.replaceChildren(this.title, ...above.map(({ element }) => element), this.rest);
    if (focused instanceof HTMLElement && this.root.contains(focused)) focused.focus();
  }
}

/** A facet under its name, folded or not. */
class Group {
  /** @param {string} name @param {Kind} kind @param {(field: string, chosen: Choice | Span | null, adjusting?: Adjusting) => void} onChange */
  constructor(name, kind, onChange) {
    const change = (/** @type {Choice | Span | null} */ chosen, /** @type {Adjusting} */ adjusting) =>
      onChange(name, chosen, adjusting);
    this.name = name;
    /** What is folded until someone wants it. */
    this.ranged = isNumber(kind);
    this.facet = this.ranged ? new RangeFacet(name, kind, change) : new ChoiceFacet(name, change);
    /** Someone has opened or closed it, and so it stays. */
    this.touched = false;
    const summary = h("summary", { on: { click: () => (this.touched = true) } }, clamped(label(name)));
    this.element = h("details", { class: "facet" }, summary, this.facet.element);
  }

  /** @param {Facet | undefined} facet @param {Choice | Span | undefined} chosen @param {number | undefined} total */
  update(facet, chosen, total) {
    if (!facet) return;
    this.element.hidden = !this.facet.update(facet, /** @type {any} */ (chosen), total);
    if (chosen && !this.touched) this.element.open = true;
  }

  /** @param {boolean} open */
  open(open) {
    if (!this.touched) this.element.open = open;
  }
}
