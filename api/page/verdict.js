/**
 * What labels make of an image: bars of similarities and probabilities, and the answer under a temperature and a
 * threshold. The server is asked for similarities alone; how they become probabilities, and from where on the answer is
 * `unknown`, is worked out here, so that sliders answer at once.
 */

/** @import {Classified} from "./types.js" */
/** @import {Leaf} from "./probabilities.js" */

import { byId, clamped, h } from "./dom.js";
import { answerOf, probabilities, UNKNOWN } from "./probabilities.js";

const TOP = [5, 10, 20];
/** Temperatures are felt by their ratio: the slider's steps are of the logarithm. */
const COLDEST = -3;
const WARMEST = 0.5;

const KNOWN = {
  given: "set by hand or by the label set",
  measured: "measured on labelled images",
  background: "a guess from the catalog: nobody has labelled images yet",
  uncalibrated: "not known: the catalog is too small to guess from",
};

export class Verdict {
  constructor() {
    /** @type {Classified | null} */
    this.answer = null;
    /** @type {Leaf[]} */
    this.leaves = [];
    /** Whether several labels may be right at once. */
    this.multi = false;
    /** Where sliders stand; null: where the answer has them. */
    this.temperature = /** @type {number | null} */ (null);
    this.threshold = /** @type {number | null} */ (null);
    this.top = h("select", { on: { change: () => this.#draw() } }, ...TOP.map((n) => h("option", { value: n, selected: n === 10 }, `${n} labels`)), h("option", { value: Infinity }, "all labels"));
    this.result = h("div", { class: "verdict" });
    this.known = h("p", { class: "soft" });
    this.bars = h("div", { class: "bars", hidden: true });
    this.heat = h("input", { type: "range", id: "temperature", min: COLDEST, max: WARMEST, step: 0.01, on: { input: () => this.#heat() } });
    this.heatSaid = h("output", { for: "temperature" });
    this.line = h("input", { type: "range", class: "line", step: 0.001, "aria-label": "Similarity below which the answer is unknown", on: { input: () => this.#cut() } });
    this.lineSaid = h("output", {});
    this.back = h("button", { type: "button", class: "link", on: { click: () => this.#reset() } }, "Back to what was known");
    this.controls = h("div", { class: "controls", hidden: true },
      h("div", { class: "control" }, h("label", { for: "temperature" }, "Temperature"), this.heat, this.heatSaid),
      h("p", { class: "soft" }, "Low: the likeliest label takes all. High: labels share."),
      h("div", { class: "control-row" }, h("label", {}, "Show ", this.top), this.back));
    this.elements = [this.result, this.known, this.bars, this.controls];
    this.wait("Begin with an image.");
  }

  /** What is missing, until there is a first answer. @param {string} missing */
  wait(missing) {
    if (this.answer) return;
    this.result.replaceChildren(h("p", { class: "headline" }, "Labels by words alone"), h("p", { class: "lead" }, missing));
  }

  /** @param {Classified} answer @param {Leaf[]} leaves @param {boolean} multi */
  show(answer, leaves, multi) {
    Object.assign(this, { answer, leaves, multi });
    this.#draw();
  }

  /** Puts the sliders back to where the answer has them. */
  untouch() {
    this.temperature = this.threshold = null;
  }

  get #used() {
    return {
      temperature: this.temperature ?? this.answer?.temperature ?? 1,
      threshold: this.threshold ?? this.answer?.threshold ?? null,
    };
  }

  #shares() {
    const { temperature, threshold } = this.#used;
    return probabilities(this.leaves, temperature, this.multi ? (threshold ?? 0) : null);
  }

  /** The likeliest first; of those that are equally likely the nearer. */
  #ordered() {
    const shares = new Map(this.#shares().map((share, i) => [this.leaves[i], share]));
    const share = (/** @type {Leaf} */ leaf) => shares.get(leaf) ?? 0;
    return [...this.leaves].sort((a, b) => share(b) - share(a) || b.similarity - a.similarity);
  }

  /** Draws the answer from the similarities, with everything where it stands now. */
  #draw() {
    if (!this.answer) return;
    this.controls.hidden = this.bars.hidden = false;
    this.leaves = this.#ordered();
    const sims = this.leaves.map(({ similarity }) => similarity);
    const low = Math.min(...sims, this.#used.threshold ?? Infinity);
    const high = Math.max(...sims, this.#used.threshold ?? -Infinity);
    const pad = Math.max((high - low) * 0.12, 0.01);
    Object.assign(this.line, { min: String(Math.floor((low - pad) * 1000) / 1000), max: String(Math.ceil((high + pad) * 1000) / 1000) });
    this.line.value = String(this.#used.threshold ?? low - pad);
    const log = Math.log10(this.#used.temperature);
    Object.assign(this.heat, { min: String(Math.min(COLDEST, log)), max: String(Math.max(WARMEST, log)) });
    this.heat.value = String(log);
    const shown = this.leaves.slice(0, Number(this.top.value));
    this.rows = shown.map((leaf) => this.#row(leaf));
    this.bars.style.setProperty("--rows", String(shown.length));
    this.bars.replaceChildren(
      h("div", { class: "bar-row bar-head", "aria-hidden": "true" }, h("span", {}, "label"), h("span", {}, "similarity"), h("span", {}, "probability")),
      h("ol", {}, ...this.rows.map(({ element }) => element)),
      h("div", { class: "line-layer" }, this.line),
    );
    const notices = this.answer.notices.length ? ` ${this.answer.notices.join(" ")}` : "";
    this.known.textContent = `Threshold: ${KNOWN[this.answer.calibration]}.`;
    this.known.title = notices.trim();
    this.#paint();
  }

  /** @param {Leaf} leaf */
  #row(leaf) {
    const near = h("i", { class: "near" });
    const probable = h("i", { class: "probable" });
    const [sim, prob] = [h("span", { class: "count" }, leaf.similarity.toFixed(3)), h("span", { class: "count" })];
    const name = leaf.path.join(" › ");
    const element = h("li", { class: "bar-row" }, clamped(name, "span", { class: "bar-name" }),
      h("span", { class: "gauge" }, near, sim), h("span", { class: "gauge" }, probable, prob));
    return { element, near, probable, prob };
  }

  /** What moves with the sliders. */
  #paint() {
    if (!this.answer) return;
    const { temperature, threshold } = this.#used;
    // The likeliest goes first; among labels within labels that may be another one under another temperature.
    if (this.#ordered().some((leaf, i) => leaf !== this.leaves[i])) return this.#draw();
    const shares = this.#shares();
    const [low, high] = [Number(this.line.min), Number(this.line.max)];
    for (const [i, { element, near, probable, prob }] of (this.rows ?? []).entries()) {
      const { similarity } = this.leaves[i];
      near.style.setProperty("--share", String((similarity - low) / (high - low)));
      probable.style.width = `${shares[i] * 100}%`;
      prob.textContent = percent(shares[i]);
      element.classList.toggle("below", threshold !== null && similarity < threshold);
    }
    const answer = answerOf(this.leaves, threshold, this.multi);
    const unknown = answer[0] === UNKNOWN;
    const words = unknown ? "nothing is near enough" : this.multi ? "" : percent(shares[0]);
    this.result.replaceChildren(
      h("output", { class: unknown ? "answer unknown" : "answer" }, clamped(answer.join(", "))), h("span", { class: "soft" }, words));
    this.heatSaid.textContent = temperature < 0.1 ? temperature.toFixed(4) : temperature.toFixed(3);
    this.lineSaid.textContent = threshold === null ? "none" : threshold.toFixed(3);
    this.line.setAttribute("aria-valuetext", this.lineSaid.textContent);
    this.heat.setAttribute("aria-valuetext", this.heatSaid.textContent);
    this.bars.dataset.threshold = this.lineSaid.textContent;
    this.bars.classList.toggle("uncut", threshold === null);
    this.back.hidden = this.temperature === null && this.threshold === null;
    byId("status").textContent = `${answer.join(", ")} ${words}`;
  }

  #heat() {
    this.temperature = 10 ** this.heat.valueAsNumber;
    this.#paint();
  }

  #cut() {
    this.threshold = this.line.valueAsNumber;
    this.#paint();
  }

  #reset() {
    this.untouch();
    this.#draw();
    this.heat.focus();
  }
}

/** @param {number} share */
const percent = (share) => `${(share * 100).toFixed(share < 0.0995 ? 1 : 0)} %`;
