/** The small controls around a result: chips of active filters, the sort menu, the drawer of filters. */

/** @import {Adjusting, Facets, Field, Filters, Query, Sort} from "./types.js" */

import { adjusts, byId, clamped, h, icon } from "./dom.js";
import { isNumber } from "./facets.js";
import { choiceWords, label, spanWords } from "./format.js";
import { hasQuestion, isChoice } from "./state.js";

/**
 * A chip for each active filter, and for each that words were taken for.
 *
 * @param {Filters} filters
 * @param {(filters: Filters) => void} onChange
 * @param {{words: string, remove: () => void}[]} taken
 */
export function showChips(filters, onChange, taken) {
  const chips = [...filters].flatMap(([field, chosen]) => {
    const others = new Map([...filters].filter(([name]) => name !== field));
    if (!isChoice(chosen)) return chip(`${label(field)}: ${spanWords(chosen)}`, () => onChange(others));
    return chosen.values.map((value) => {
      const values = chosen.values.filter((other) => other !== value);
      const less = values.length ? new Map(filters).set(field, { values }) : others;
      return chip(choiceWords(field, value), () => onChange(less));
    });
  });
  const active = chips.length;
  chips.push(...taken.map(({ words, remove }) => chip(words, remove, "chip taken")));
  const list = byId("chips");
  list.hidden = chips.length === 0;
  const clear = h("button", { type: "button", class: "link", on: { click: () => onChange(new Map()) } }, "Clear all");
  list.replaceChildren(...chips, ...(active > 1 ? [h("li", {}, clear)] : []));
}

/** @param {string} words @param {() => void} remove */
function chip(words, remove, kind = "chip") {
  const name = `Remove filter ${words}`;
  return h("li", {}, h("button", { type: "button", class: kind, "aria-label": name, on: { click: remove } }, clamped(words), icon("close")));
}

export class SortMenu {
  /** @param {Field[]} fields @param {Facets} facets @param {(sort: Sort | null, adjusting: Adjusting) => void} onChange */
  constructor(fields, facets, onChange) {
    this.select = byId("sort");
    this.best = h("option", { value: "" });
    /** @type {Map<string, Sort>} */
    this.sorts = new Map();
    const filled = fields.filter(({ name }) => {
      const { values, min } = facets.get(name) ?? { values: [] };
      return values.length > 0 || min !== undefined;
    });
    const options = filled.flatMap(({ name, kind }) => {
      if (kind === "bool") return this.#option(name, "desc", `${label(name)} first`);
      if (!isNumber(kind)) return [];
      return [this.#option(name, "asc", `${label(name)}: low to high`), this.#option(name, "desc", `${label(name)}: high to low`)];
    });
    this.select.replaceChildren(this.best, ...options);
    adjusts(this.select, (adjusting) => onChange(this.sorts.get(this.select.value) ?? null, adjusting));
  }

  /** @param {string} field @param {Sort["order"]} order @param {string} words */
  #option(field, order, words) {
    const value = `${field}:${order}`;
    this.sorts.set(value, { field, order });
    return h("option", { value }, words);
  }

  /** @param {Query} query */
  update(query) {
    this.best.textContent = hasQuestion(query) ? "Best match" : "Catalog order";
    const value = query.sort ? `${query.sort.field}:${query.sort.order}` : "";
    if (value && !this.sorts.has(value) && query.sort) {
      this.select.append(this.#option(query.sort.field, query.sort.order, label(query.sort.field)));
    }
    this.select.value = value;
  }
}

/** The filters stand beside the results, or in a drawer where there is no room. */
export class FilterDrawer {
  constructor() {
    this.filters = byId("filters");
    this.drawer = byId("drawer");
    this.opener = byId("filters-open");
    this.done = h("button", { type: "button", class: "primary", on: { click: () => this.drawer.close() } }, "Show results");
    this.opener.addEventListener("click", () => this.drawer.showModal());
    this.drawer.addEventListener("click", (/** @type {Event} */ { target }) => target === this.drawer && this.drawer.close());
    const narrow = matchMedia("(max-width: 899px)");
    narrow.addEventListener("change", () => this.#place(narrow.matches));
    this.#place(narrow.matches);
  }

  /** @param {boolean} narrow */
  #place(narrow) {
    if (!narrow && this.drawer.open) this.drawer.close();
    if (narrow) this.drawer.replaceChildren(h("div", { class: "drawer-sheet" }, this.filters, this.done));
    else byId("sidebar").append(this.filters);
  }

  /** @param {number} active How many fields are filtered by. @param {string} total */
  update(active, total) {
    this.opener.replaceChildren(icon("filters"), active ? `Filters (${active})` : "Filters");
    if (total) this.done.textContent = `Show ${total.charAt(0).toLowerCase()}${total.slice(1)}`;
  }
}
