/**
 * Trying labels: an image, some words, and what they make of it. The server is asked for similarities alone; how they
 * become probabilities, and from where on the answer is `unknown`, is worked out here, so that sliders answer at once.
 */

/** @import {Classified} from "./types.js" */
/** @import {Leaf} from "./probabilities.js" */

import { ApiError, classify, getImage, listDocuments, readDocument, search, writeDocument } from "./api.js";
import { byId, clamped, h, icon } from "./dom.js";
import { framed } from "./images.js";
import { title } from "./format.js";
import { listenForPhotos, PhotoError, prepare } from "./photo.js";
import { answerOf, leavesOf, probabilities, UNKNOWN } from "./probabilities.js";

const PAUSE_MS = 350;
const ALL_LABELS = 1000;
const SAMPLES = 6;
const TOP = [5, 10, 20];
const NAME = "[a-z0-9][a-z0-9_\\-]{0,63}";
/** Temperatures are felt by their ratio: the slider's steps are of the logarithm. */
const COLDEST = -3;
const WARMEST = 0.5;

const KNOWN = {
  given: "set by hand or by the label set",
  measured: "measured on labelled images",
  background: "a guess from the catalog: nobody has labelled images yet",
  uncalibrated: "not known: the catalog is too small to guess from",
};

/** @typedef {{name: string, texts?: string[], labels?: any[]}} Label */

export class Classifying {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    /** @type {{file: Blob, name: string, url: string} | null} */
    this.image = null;
    /** The stored set on the screen: `edited` once it differs. @type {{name: string, body: any, tag: string, edited: boolean} | null} */
    this.stored = null;
    /** @type {Classified | null} */
    this.answer = null;
    /** @type {Leaf[]} */
    this.leaves = [];
    /** Where sliders stand; null: where the answer has them. */
    this.temperature = /** @type {number | null} */ (null);
    this.threshold = /** @type {number | null} */ (null);
    this.running = new AbortController();
    this.timer = 0;
    /** Whether the error on the screen is that of an image's labels: the next ones take no other away. */
    this.unlabelled = false;
    this.#draw();
    listenForPhotos((file) => !root.hidden && this.take(file, file.name), (words) => this.#say(words));
  }

  async open() {
    await Promise.all([this.#listSets(), this.#showSamples()]).catch((error) => this.#fail(error));
  }

  #draw() {
    this.drop = h(
      "button",
      { type: "button", class: "dropzone", id: "choose" },
      icon("image"),
      h("span", {}, h("strong", {}, "Choose an image"), h("span", { class: "fine-only" }, ", drop one anywhere, or paste it")),
    );
    this.camera = h("button", { type: "button", class: "quiet touch-only", id: "camera" }, icon("camera"), "Take a photo");
    this.preview = h("div", { class: "preview" });
    this.samples = h("ul", { class: "samples" });
    this.sets = h("select", { id: "label-set", on: { change: () => this.#choose(this.sets.value) } });
    this.words = h("textarea", { id: "label-words", rows: 7, spellcheck: false, placeholder: "red car\ngreen tree\nblue bicycle", on: { input: () => this.#edited() } });
    this.templates = h("textarea", { id: "label-templates", rows: 3, spellcheck: false, placeholder: "a photo of a {label}", on: { input: () => this.#edited() } });
    this.multi = h("input", { type: "checkbox", on: { change: () => this.#edited() } });
    this.top = h("select", { on: { change: () => this.#show() } }, ...TOP.map((n) => h("option", { value: n, selected: n === 10 }, `${n} labels`)), h("option", { value: ALL_LABELS }, "all labels"));
    this.error = h("div", { class: "wrong", role: "alert" });
    this.result = h("div", { class: "verdict" });
    this.known = h("p", { class: "soft" });
    this.bars = h("div", { class: "bars", hidden: true });
    this.heat = h("input", { type: "range", id: "temperature", min: COLDEST, max: WARMEST, step: 0.01, on: { input: () => this.#heat() } });
    this.heatSaid = h("output", { for: "temperature" });
    this.line = h("input", { type: "range", class: "line", step: 0.001, "aria-label": "Similarity below which the answer is unknown", on: { input: () => this.#cut() } });
    this.lineSaid = h("output", {});
    this.back = h("button", { type: "button", class: "link", on: { click: () => this.#reset() } }, "Back to what was known");
    this.name = h("input", { id: "set-name", pattern: NAME, required: true, placeholder: "departments", autocapitalize: "none", title: "Small letters, digits, - and _" });
    this.saved = h("p", { class: "soft", role: "status" });
    const save = h("form", { class: "save", on: { submit: (/** @type {Event} */ event) => (event.preventDefault(), this.#save()) } },
      h("label", { for: "set-name" }, "Keep them as"), this.name, h("button", { type: "submit", class: "quiet" }, "Save the label set"));
    this.controls = h("div", { class: "controls", hidden: true },
      h("div", { class: "control" }, h("label", { for: "temperature" }, "Temperature"), this.heat, this.heatSaid),
      h("p", { class: "soft" }, "Low: the likeliest label takes all. High: labels share."),
      h("div", { class: "control-row" }, h("label", {}, "Show ", this.top), this.back));
    this.root.replaceChildren(
      h("div", { class: "try" },
        h("div", { class: "try-asked" },
          this.preview, this.drop, this.camera, this.samples,
          h("label", { for: "label-set" }, "Labels"), this.sets,
          h("label", { for: "label-words" }, h("span", { class: "soft" }, "One a line, or with commas. More texts for a label: ", h("code", {}, "sofa: couch, settee"))), this.words,
          h("label", { class: "tick" }, this.multi, "Several may be right at once"),
          h("details", {}, h("summary", {}, "Templates"), h("label", { for: "label-templates", class: "soft" }, "One a line, with {label} in it; left empty, the usual ones."), this.templates),
          save, this.saved),
        h("div", { class: "try-said" }, this.error, this.result, this.known, this.bars, this.controls)),
    );
    this.#show();
  }

  async #listSets() {
    const names = await listDocuments("label-sets");
    const options = [h("option", { value: "" }, "Typed here"), ...names.map((name) => h("option", { value: name }, name))];
    this.sets.replaceChildren(...options);
    this.sets.value = this.stored && !this.stored.edited ? this.stored.name : "";
  }

  /** Images of the catalog to begin with. */
  async #showSamples() {
    if (this.samples.children.length) return;
    const { hits } = await search({ filter: {}, limit: SAMPLES, explain: false }, null);
    const shown = hits.filter(({ images }) => images.length > 0);
    this.samples.replaceChildren(...shown.map((hit) => {
      const on = { click: async () => this.take(await getImage(hit.images[0]), hit.id) };
      return h("li", {}, h("button", { type: "button", on }, framed(hit.images[0], `Label the image of ${title(hit)}`)));
    }));
  }

  /** @param {Blob} file @param {string} name */
  async take(file, name) {
    try {
      const ready = await prepare(file);
      if (this.image) URL.revokeObjectURL(this.image.url);
      this.image = { file: ready, name, url: URL.createObjectURL(ready) };
      const img = h("img", { src: this.image.url, alt: "The image that is labelled", on: { error: () => img.remove() } });
      this.preview.replaceChildren(img);
      this.#say("");
      this.#ask();
    } catch (error) {
      if (!(error instanceof PhotoError)) throw error;
      this.#say(error.message);
    }
  }

  /** @param {string} name */
  async #choose(name) {
    if (!name) return;
    try {
      const { body, tag } = await readDocument("label-sets", name);
      this.stored = { name, body, tag, edited: false };
    } catch (error) {
      return this.#fail(error);
    }
    this.#say("");
    const { body } = this.stored;
    // A set that lines cannot say is used as it is.
    this.words.value = linesOf(body.labels) ?? "";
    this.words.disabled = linesOf(body.labels) === null;
    this.words.placeholder = this.words.disabled ? "These labels lie within labels: they are used as they are stored." : "";
    this.templates.value = (body.templates ?? []).join("\n");
    this.templates.disabled = this.multi.disabled = this.words.disabled;
    this.multi.checked = Boolean(body.multi);
    this.name.value = name;
    this.temperature = this.threshold = null;
    this.#ask();
  }

  #edited() {
    if (this.stored) this.stored.edited = true;
    this.sets.value = "";
    this.#say("");
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#ask(), PAUSE_MS);
  }

  /** The labels as a document has them. */
  #labelSet() {
    if (this.words.disabled) return this.stored?.body;
    const templates = lines(this.templates.value);
    return { labels: labelsOf(this.words.value), ...(templates.length && { templates }), ...(this.multi.checked && { multi: true }) };
  }

  async #ask() {
    clearTimeout(this.timer);
    this.running.abort();
    this.running = new AbortController();
    const { signal } = this.running;
    const named = this.stored && !this.stored.edited ? this.stored.name : null;
    const set = this.#labelSet();
    if (!this.image || !set?.labels.length) return this.#show();
    const request = { ...(named ? { label_set: named } : set), top_k: ALL_LABELS };
    this.root.setAttribute("aria-busy", "true");
    try {
      const answer = await classify(request, this.image, signal);
      const nested = answer.results[0].labels.some(({ path }) => path);
      // Labels within labels: what they are within is told by probabilities under a temperature that leaves none at 0.
      const even = nested ? await classify({ ...request, temperature: 1 }, this.image, signal) : answer;
      if (signal.aborted) return;
      this.answer = answer;
      this.leaves = leavesOf(answer.results[0].labels, nested ? even.results[0].labels : null);
      if (this.unlabelled) this.#say("");
      this.unlabelled = false;
      this.#show();
    } catch (error) {
      if (!signal.aborted) this.#fail(error, true);
    } finally {
      if (!signal.aborted) this.root.setAttribute("aria-busy", "false");
    }
  }

  get #used() {
    return {
      temperature: this.temperature ?? this.answer?.temperature ?? 1,
      threshold: this.threshold ?? this.answer?.threshold ?? null,
      multi: Boolean(this.#labelSet()?.multi),
    };
  }

  #shares() {
    const { temperature, threshold, multi } = this.#used;
    return probabilities(this.leaves, temperature, multi ? (threshold ?? 0) : null);
  }

  /** The likeliest first; of those that are equally likely the nearer. */
  #ordered() {
    const shares = new Map(this.#shares().map((share, i) => [this.leaves[i], share]));
    const share = (/** @type {Leaf} */ leaf) => shares.get(leaf) ?? 0;
    return [...this.leaves].sort((a, b) => share(b) - share(a) || b.similarity - a.similarity);
  }

  /** Draws the answer from the similarities, with everything where it stands now. */
  #show() {
    const there = Boolean(this.answer && this.image);
    this.controls.hidden = this.bars.hidden = !there;
    if (!there || !this.answer) {
      const missing = this.image ? "Now some labels: what could it be?" : "Begin with an image.";
      this.result.replaceChildren(h("p", { class: "headline" }, "Labels by words alone"), h("p", { class: "lead" }, missing));
      return;
    }
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
    const { temperature, threshold, multi } = this.#used;
    // The likeliest goes first; among labels within labels that may be another one under another temperature.
    if (this.#ordered().some((leaf, i) => leaf !== this.leaves[i])) return this.#show();
    const shares = this.#shares();
    const [low, high] = [Number(this.line.min), Number(this.line.max)];
    for (const [i, { element, near, probable, prob }] of (this.rows ?? []).entries()) {
      const { similarity } = this.leaves[i];
      near.style.setProperty("--share", String((similarity - low) / (high - low)));
      probable.style.width = `${shares[i] * 100}%`;
      prob.textContent = percent(shares[i]);
      element.classList.toggle("below", threshold !== null && similarity < threshold);
    }
    const answer = answerOf(this.leaves, threshold, multi);
    const unknown = answer[0] === UNKNOWN;
    const words = unknown ? "nothing is near enough" : multi ? "" : percent(shares[0]);
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
    this.temperature = this.threshold = null;
    this.#show();
    this.heat.focus();
  }

  async #save() {
    const set = this.#labelSet();
    if (!set?.labels.length) return this.#say("There are no labels to keep yet.");
    const name = this.name.value;
    const before = this.stored?.name === name ? this.stored : null;
    const { temperature, threshold } = this;
    const body = { ...(before?.body.temperature && { temperature: before.body.temperature }), ...(before?.body.threshold !== undefined && { threshold: before.body.threshold }), ...set };
    if (temperature !== null) body.temperature = Number(temperature.toPrecision(4));
    if (threshold !== null) body.threshold = threshold;
    try {
      const { version, tag } = await writeDocument("label-sets", name, body, before?.tag ?? null);
      this.stored = { name, body, tag, edited: false };
      this.temperature = this.threshold = null;
      this.#say("");
      this.saved.textContent = `Saved as version ${version}.`;
      await this.#listSets();
      this.#ask();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** @param {string} words */
  #say(words) {
    this.saved.textContent = "";
    this.error.replaceChildren(...(words ? [h("p", {}, words)] : []));
  }

  /** @param {unknown} error */
  #fail(error, unlabelled = false) {
    if (!(error instanceof ApiError)) throw error;
    this.unlabelled = unlabelled;
    const places = error.errors.map(({ field, message }) => [field, message].filter(Boolean).join(": "));
    this.#say(`${error.title}. ${places.length ? places.join("; ") : error.message}`);
  }
}

/** @param {number} share */
const percent = (share) => `${(share * 100).toFixed(share < 0.0995 ? 1 : 0)} %`;

/** @param {string} text */
export const lines = (text) => text.split("\n").map((line) => line.trim()).filter(Boolean);

/** What is typed as labels: one a line with more texts after a colon, or several on a line. @param {string} text */
function labelsOf(text) {
  return lines(text).flatMap((line) => {
    const [name, ...more] = line.split(":");
    const texts = more.join(":").split(",").map((part) => part.trim()).filter(Boolean);
    if (more.length && name.trim()) return [{ name: name.trim(), ...(texts.length && { texts: [name.trim(), ...texts] }) }];
    return line.split(",").map((part) => part.trim()).filter(Boolean).map((part) => ({ name: part }));
  });
}

/** Labels as they would be typed; null where that does not say all of them. @param {Label[]} labels */
function linesOf(labels) {
  const text = labels.map(({ name, texts }) => (texts ? `${name}: ${texts.filter((one) => one !== name).join(", ")}` : name)).join("\n");
  const same = JSON.stringify(labelsOf(text)) === JSON.stringify(labels.map(({ name, texts }) => ({ name, ...(texts && { texts }) })));
  return same && !labels.some((label) => label.labels) ? text : null;
}
