/** A facet of a number: two sliders to feel one's way, and two boxes to be exact. */

/** @import {Adjusting, Bucket, Facet, Kind, Span} from "./types.js" */

import { adjusts, h } from "./dom.js";
import { label, number } from "./format.js";

const STEPS = 100;

export class RangeFacet {
  /** @param {string} field @param {Kind} kind @param {(span: Span | null, adjusting: Adjusting) => void} onChange */
  constructor(field, kind, onChange) {
    this.whole = kind === "integer";
    this.onChange = onChange;
    this.bounds = { min: 0, max: 0 };
    /** Someone is dragging or typing: an answer that comes meanwhile must not undo it. */
    this.editing = false;
    const name = label(field);
    this.low = this.#slider(`Lowest ${name}`);
    this.high = this.#slider(`Highest ${name}`);
    this.from = this.#box(`${name}, from`);
    this.to = this.#box(`${name}, to`);
    this.histogram = h("div", { class: "histogram", "aria-hidden": "true" });
    this.element = h(
      "fieldset",
      { class: "range" },
      h("legend", { class: "hidden" }, name),
      this.histogram,
      h("div", { class: "sliders" }, this.low, this.high),
      h("div", { class: "bounds" }, this.from, h("span", { "aria-hidden": "true" }, "to"), this.to),
    );
  }

  /** @param {string} name */
  #slider(name) {
    const input = () => this.#follow();
    const slider = h("input", { type: "range", "aria-label": name, on: { input } });
    adjusts(slider, (adjusting) =>
      this.#choose(this.#unlessBound(this.low, "min"), this.#unlessBound(this.high, "max"), adjusting),
    );
    return slider;
  }

  /** @param {string} name */
  #box(name) {
    const bound = (/** @type {HTMLInputElement} */ box) => (box.value === "" ? undefined : box.valueAsNumber);
    const input = () => (this.editing = true);
    const box = h("input", { type: "number", step: "any", inputmode: "decimal", "aria-label": name, on: { input } });
    adjusts(box, (adjusting) => this.#choose(bound(this.from), bound(this.to), adjusting));
    return box;
  }

  /**
   * Shows the range of a result.
   *
   * @param {Facet} facet
   * @param {Span | undefined} span
   * @returns {boolean} False when there is no range to choose from.
   */
  update(facet, span) {
    const min = facet.min ?? span?.gte ?? 0;
    const max = facet.max ?? span?.lte ?? min;
    if (!this.editing) this.#draw(min, max, span);
    this.#spread(facet.histogram ?? []);
    return min < max || span !== undefined;
  }

  /** How many there are of which number, above the slider. @param {Bucket[]} buckets */
  #spread(buckets) {
    const { min, max } = this.bounds;
    const most = Math.max(...buckets.map(({ count }) => count), 1);
    const share = (/** @type {number} */ value) => Math.min(Math.max((value - min) / (max - min || 1), 0), 1) * 100;
    const bars = buckets.map(({ gte, lt, count }) => {
      const bar = h("span", { data: { gte, lt }, title: `${number(gte)} to ${number(lt)}: ${number(count)}` });
      Object.assign(bar.style, { left: `${share(gte)}%`, width: `${share(lt) - share(gte)}%`, height: `${(count / most) * 100}%` });
      return bar;
    });
    this.histogram.hidden = buckets.length < 2;
    this.histogram.replaceChildren(...bars);
    this.#paint();
  }

  /** @param {number} min @param {number} max @param {Span | undefined} span */
  #draw(min, max, span) {
    const step = this.#step(max - min);
    this.bounds = { min: Math.floor(min / step) * step, max: Math.ceil(max / step) * step };
    for (const slider of [this.low, this.high]) {
      Object.assign(slider, { step, min: this.bounds.min, max: this.bounds.max });
    }
    this.low.value = span?.gte ?? this.bounds.min;
    this.high.value = span?.lte ?? this.bounds.max;
    this.from.value = span?.gte ?? "";
    this.to.value = span?.lte ?? "";
    this.from.placeholder = number(min);
    this.to.placeholder = number(max);
    this.#paint();
  }

  /** A round step: 1, 2 or 5 times a power of ten. @param {number} width */
  #step(width) {
    if (width <= 0) return 1;
    const power = 10 ** Math.floor(Math.log10(width / STEPS));
    const step = power * ([1, 2, 5].find((factor) => factor * power * STEPS >= width) ?? 10);
    return this.whole ? Math.max(1, Math.round(step)) : step;
  }

  /** While dragging: the boxes follow, and neither slider passes the other. */
  #follow() {
    this.editing = true;
    if (this.low.valueAsNumber > this.high.valueAsNumber) {
      if (document.activeElement === this.low) this.low.value = this.high.value;
      else this.high.value = this.low.value;
    }
    this.from.value = this.#unlessBound(this.low, "min") ?? "";
    this.to.value = this.#unlessBound(this.high, "max") ?? "";
    this.#paint();
  }

  /** A slider at its end leaves that side open. @param {HTMLInputElement} slider @param {"min" | "max"} end */
  #unlessBound(slider, end) {
    const value = Number(slider.valueAsNumber.toPrecision(12)); // Adding up steps leaves 0.30000000000000004.
    return value === Number(slider[end]) ? undefined : value;
  }

  /** @param {number | undefined} gte @param {number | undefined} lte @param {Adjusting} adjusting */
  #choose(gte, lte, adjusting) {
    this.editing = false;
    if (gte !== undefined && lte !== undefined && gte > lte) [gte, lte] = [lte, gte];
    const span = { ...(Number.isFinite(gte) && { gte }), ...(Number.isFinite(lte) && { lte }) };
    this.onChange(Object.keys(span).length ? span : null, adjusting);
  }

  /** The part of the track between the thumbs. */
  #paint() {
    const { min, max } = this.bounds;
    const share = (/** @type {HTMLInputElement} */ slider) => ((slider.valueAsNumber - min) / (max - min || 1)) * 100;
    this.element.style.setProperty("--from", `${share(this.low)}%`);
    this.element.style.setProperty("--to", `${share(this.high)}%`);
    for (const bar of /** @type {HTMLCollectionOf<HTMLElement>} */ (this.histogram.children)) {
      const within = Number(bar.dataset.lt) > this.low.valueAsNumber && Number(bar.dataset.gte) <= this.high.valueAsNumber;
      bar.classList.toggle("within", within);
    }
  }
}
