/** One rule of a policy in a form, with the scores of the catalog above its threshold. */

/** @import {Action, Exemplar, Rule, RuleScore} from "./types.js" */

import { lines } from "./document_form.js";
import { h, icon } from "./dom.js";
import { number } from "./format.js";

const BINS = 48;
let made = 0;

export class RuleForm {
  /**
   * @param {Rule} rule
   * @param {{onText: () => void, onThreshold: () => void, onRemove: () => void}} actions `onText`: of what the catalog
   *   has to be asked anew for; `onThreshold`: of what is decided by the scores that are here.
   */
  constructor(rule, { onText, onThreshold, onRemove }) {
    this.given = rule;
    /** @type {(RuleScore & {by: "image" | "text"})[]} */
    this.scores = [];
    const id = (/** @type {string} */ name) => `rule-${made}-${name}`;
    made += 1;
    this.name = h("input", { id: id("name"), required: true, maxlength: 100, value: rule.name ?? "", on: { input: onText } });
    this.action = h("select", { id: id("action"), on: { change: onThreshold } }, ...["review", "block", "allow"].map((one) => h("option", { value: one, selected: one === rule.action }, one)));
    this.prompts = this.#texts(id("prompts"), rule.prompts, "a photo of a knife", onText);
    this.counters = this.#texts(id("counters"), rule.counter_prompts, "a photo of a spoon", onText);
    this.images = this.#texts(id("images"), ids(rule.images), "", onText);
    this.counterImages = this.#texts(id("counter-images"), ids(rule.counter_images), "", onText);
    this.share = h("input", { id: id("share"), type: "number", step: "any", min: 0, max: 100, value: rule.at_most === undefined ? "" : String(rule.at_most * 100), on: { input: onText } });
    this.threshold = h("input", { id: id("threshold"), type: "number", step: "any", min: -2, max: 2, placeholder: "none", value: rule.threshold === undefined ? "" : String(rule.threshold) });
    this.slider = h("input", { type: "range", class: "line", step: 0.001, "aria-label": "Threshold" });
    this.slider.addEventListener("input", () => {
      this.threshold.value = String(Number(this.slider.valueAsNumber.toFixed(4)));
      onThreshold();
    });
    this.threshold.addEventListener("input", onThreshold);
    this.plot = h("div", { class: "scores", hidden: true });
    this.said = h("p", { class: "soft" });
    const uploaded = [...(rule.images ?? []), ...(rule.counter_images ?? [])].filter(({ base64 }) => base64).length;
    const field = (/** @type {string} */ name, /** @type {string} */ words, /** @type {HTMLElement} */ control) =>
      h("div", {}, h("label", { for: id(name) }, words), control);
    const remove = h("button", { type: "button", class: "icon-button", "aria-label": "Remove this rule", on: { click: onRemove } }, icon("close"));
    this.element = h(
      "fieldset",
      { class: "rule" },
      h("legend", { class: "hidden" }, "A rule"),
      h("div", { class: "rule-head" }, field("name", "Rule", this.name), field("action", "Then", this.action), remove),
      h("div", { class: "rule-texts" }, field("prompts", "What is meant", this.prompts), field("counters", "What only looks like it", this.counters)),
      this.plot,
      h("div", { class: "rule-line" }, field("threshold", "Fires from a score of", this.threshold), this.said),
      h(
        "details",
        {},
        h("summary", {}, "Images, and how often it may fire"),
        h("p", { class: "soft" }, `Ids of products whose image shows it, one a line.${uploaded ? ` ${uploaded} uploaded images are kept as they are.` : ""}`),
        h("div", { class: "rule-texts" }, field("images", "Images of what is meant", this.images), field("counter-images", "Images of what is not", this.counterImages)),
        field("share", "Without a threshold: for at most so many % of the catalog", this.share),
      ),
    );
  }

  /** @param {string} id @param {string[] | undefined} texts @param {string} placeholder @param {() => void} input */
  #texts(id, texts, placeholder, input) {
    return h("textarea", { id, rows: 3, spellcheck: false, placeholder, value: (texts ?? []).join("\n"), on: { input } });
  }

  focus() {
    this.name.focus();
  }

  /** The rule as it stands, with all that the form does not know left as it was given. @returns {Rule} */
  get rule() {
    const uploads = (/** @type {Exemplar[] | undefined} */ some) => (some ?? []).filter(({ base64 }) => base64);
    const exemplars = (/** @type {string} */ text, /** @type {Exemplar[] | undefined} */ before) =>
      [...lines(text).map((product_id) => ({ product_id })), ...uploads(before)];
    const { name: _n, prompts: _p, counter_prompts: _c, images: before, counter_images: beforeCounter, threshold: _t, at_most: _m, action: _a, ...rest } = this.given;
    const counters = lines(this.counters.value);
    const images = exemplars(this.images.value, before);
    const counterImages = exemplars(this.counterImages.value, beforeCounter);
    const threshold = this.threshold.valueAsNumber;
    const share = this.share.valueAsNumber;
    return {
      ...rest,
      name: this.name.value.trim(),
      prompts: lines(this.prompts.value),
      ...(counters.length && { counter_prompts: counters }),
      ...(images.length && { images }),
      ...(counterImages.length && { counter_images: counterImages }),
      ...(Number.isFinite(threshold) && { threshold }),
      ...(Number.isFinite(share) && { at_most: Number((share / 100).toPrecision(12)) }),
      action: /** @type {Action} */ (this.action.value),
    };
  }

  /** What the catalog scores. @param {(RuleScore & {by: "image" | "text"})[]} scores */
  spread(scores) {
    this.scores = scores;
    // Thresholds are of images; titles lie on another scale.
    const images = scores.filter(({ by }) => by === "image").map(({ score }) => score);
    this.plot.hidden = images.length < 2;
    if (this.plot.hidden) return;
    const line = this.#line();
    const low = Math.min(...images, line ?? Infinity);
    const high = Math.max(...images, line ?? -Infinity);
    const pad = Math.max((high - low) * 0.05, 0.005);
    Object.assign(this.slider, { min: String(low - pad), max: String(high + pad) });
    const bins = new Array(BINS).fill(0);
    for (const score of images) bins[Math.min(BINS - 1, Math.floor(((score - low + pad) / (high - low + 2 * pad)) * BINS))] += 1;
    const most = Math.max(...bins);
    const bars = bins.map((count, i) => {
      const bar = h("i", { data: { from: low - pad + (i / BINS) * (high - low + 2 * pad) } });
      // A product or two among thousands is what one looks for: heights are of the square root.
      bar.style.height = `${Math.sqrt(count / most) * 100}%`;
      return bar;
    });
    this.plot.replaceChildren(h("div", { class: "score-bars", "aria-hidden": "true" }, ...bars), this.slider);
    this.paint();
  }

  #line() {
    const typed = this.threshold.valueAsNumber;
    return Number.isFinite(typed) ? typed : (this.scores.find(({ by }) => by === "image")?.threshold ?? null);
  }

  /** What moves with the threshold. */
  paint() {
    const line = this.#line();
    if (line !== null) this.slider.value = String(line);
    for (const bar of this.plot.querySelectorAll("i")) bar.classList.toggle("fires", line !== null && Number(bar.dataset.from) >= line);
    const fired = this.scores.filter(({ score, threshold, by }) => {
      const from = by === "image" ? line : threshold;
      return from !== null && score >= from;
    }).length;
    const own = Number.isFinite(this.threshold.valueAsNumber);
    const guess = own || line === null ? "" : `, from a guess of ${line.toFixed(3)}: uncalibrated`;
    this.said.textContent = this.scores.length ? `fires for ${number(fired)} of ${number(this.scores.length)} products${guess}` : "";
    this.slider.setAttribute("aria-valuetext", line === null ? "none" : line.toFixed(3));
  }
}

/** @param {Exemplar[] | undefined} exemplars */
const ids = (exemplars) => (exemplars ?? []).flatMap(({ product_id }) => product_id ?? []);
