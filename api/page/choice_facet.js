/** A facet of values to tick: text, or yes and no. */

/** @import {Choice, Facet, Value} from "./types.js" */

import { clamped, h } from "./dom.js";
import { label, number, say } from "./format.js";

const SHOWN_AT_FIRST = 6;

export class ChoiceFacet {
  /** @param {string} field @param {(chosen: Choice | null) => void} onChange */
  constructor(field, onChange) {
    this.field = field;
    this.onChange = onChange;
    this.expanded = false;
    /** @type {Facet | null} */
    this.facet = null;
    /** @type {Set<Value>} */
    this.selected = new Set();
    /** @type {Map<Value, {row: HTMLElement, box: HTMLInputElement, count: HTMLElement}>} */
    this.rows = new Map();
    this.list = h("ul", { class: "values" });
    this.all = h("button", { type: "button", class: "link", on: { click: () => this.#toggleAll() } });
    this.element = h("fieldset", {}, h("legend", { class: "hidden" }, label(field)), this.list, this.all);
  }

  /**
   * Shows the counts of a result.
   *
   * @param {Facet} facet
   * @param {Choice | undefined} chosen
   * @param {number} [total] How many hits there are, where that is known.
   * @returns {boolean} False when there is nothing to tick.
   */
  update(facet, chosen, total) {
    this.facet = facet;
    this.selected = new Set(chosen?.values);
    this.#draw();
    // What all hits have alike narrows nothing.
    return this.selected.size > 0 || facet.values.some(({ count }) => count !== total);
  }

  #draw() {
    const counts = new Map(this.facet?.values.map(({ value, count }) => [value, count]));
    const values = [...new Set([...this.selected].filter((value) => !counts.has(value)).concat([...counts.keys()]))];
    const shown = values.filter((value, i) => this.expanded || i < SHOWN_AT_FIRST || this.selected.has(value));
    const focused = document.activeElement;
    const rows = shown.map((value) => this.rows.get(value) ?? this.#row(value));
    this.rows = new Map(shown.map((value, i) => [value, rows[i]]));
    for (const [value, { box, count }] of this.rows) {
      box.checked = this.selected.has(value);
      count.textContent = number(counts.get(value) ?? 0) + (this.facet?.relation === "gte" ? "+" : "");
    }
    // Rows are kept and moved, so that the box someone just ticked still has the focus.
    this.list.replaceChildren(...rows.map(({ row }) => row));
    if (focused instanceof HTMLElement && this.list.contains(focused)) focused.focus();
    this.all.hidden = values.length <= SHOWN_AT_FIRST;
    this.all.textContent = this.expanded ? "Show fewer" : `Show all ${number(values.length)}`;
    this.all.setAttribute("aria-expanded", String(this.expanded));
  }

  /** @param {Value} value */
  #row(value) {
    const box = h("input", { type: "checkbox", on: { change: () => this.#tick(value, box.checked) } });
    const count = h("span", { class: "count" });
    return { row: h("li", {}, h("label", {}, box, clamped(String(say(value)), "span", { class: "value" }), count)), box, count };
  }

  /** @param {Value} value @param {boolean} on */
  #tick(value, on) {
    if (on) this.selected.add(value);
    else this.selected.delete(value);
    this.onChange(this.selected.size ? { values: [...this.selected] } : null);
  }

  #toggleAll() {
    this.expanded = !this.expanded;
    this.#draw();
  }
}
