/** Trying labels: an image, some words typed or a stored set of labels, and what they make of it. */

import { classify, getImage, labelCatalog, listDocuments, readDocument, search, writeDocument } from "./api.js";
import { ErrorLine, lines, nameField } from "./document_form.js";
import { h, icon } from "./dom.js";
import { framed } from "./images.js";
import { number, title } from "./format.js";
import { listenForPhotos, PhotoError, prepare } from "./photo.js";
import { leavesOf } from "./probabilities.js";
import { Verdict } from "./verdict.js";

const PAUSE_MS = 350;
const ALL_LABELS = 1000;
const SAMPLES = 6;

/** Products that are called otherwise in the catalog, of which the page tells. */
const DISPUTED = 12;

/** @typedef {{name: string, texts?: string[], labels?: any[]}} Label */

export class Classifying {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    /** @type {{file: Blob, name: string, url: string} | null} */
    this.image = null;
    /** The stored set on the screen: `edited` once it differs. @type {{name: string, body: any, tag: string, edited: boolean} | null} */
    this.stored = null;
    this.running = new AbortController();
    this.timer = 0;
    this.error = new ErrorLine();
    this.verdict = new Verdict();
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
    this.name = nameField("set-name", "departments");
    this.saved = h("p", { class: "soft", role: "status" });
    this.disputed = h("ul", { class: "disputed" });
    const save = h("form", { class: "save", on: { submit: (/** @type {Event} */ event) => (event.preventDefault(), this.#save()) } },
      h("label", { for: "set-name" }, "Keep them as"), this.name, h("button", { type: "submit", class: "quiet" }, "Save the label set"));
    this.root.replaceChildren(
      h("div", { class: "try" },
        h("div", { class: "try-asked" },
          this.preview, this.drop, this.camera, this.samples,
          h("label", { for: "label-set" }, "Labels"), this.sets,
          h("label", { for: "label-words" }, h("span", { class: "soft" }, "One a line, or with commas. More texts for a label: ", h("code", {}, "sofa: couch, settee"))), this.words,
          h("label", { class: "tick" }, this.multi, "Several may be right at once"),
          h("details", {}, h("summary", {}, "Templates"), h("label", { for: "label-templates", class: "soft" }, "One a line, with {label} in it; left empty, the usual ones."), this.templates),
          save, this.saved, this.disputed),
        h("div", { class: "try-said" }, this.error.element, ...this.verdict.elements)),
    );
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
    this.verdict.untouch();
    this.saved.replaceChildren(this.#applying(name));
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
    if (!this.image || !set?.labels.length) return this.verdict.wait(this.image ? "Now some labels: what could it be?" : "Begin with an image.");
    const request = { ...(named ? { label_set: named } : set), top_k: ALL_LABELS };
    this.root.setAttribute("aria-busy", "true");
    try {
      const answer = await classify(request, this.image, signal);
      const nested = answer.results[0].labels.some(({ path }) => path);
      // Labels within labels: what they are within is told by probabilities under a temperature that leaves none at 0.
      const even = nested ? await classify({ ...request, temperature: 1 }, this.image, signal) : answer;
      if (signal.aborted) return;
      this.error.answered();
      this.verdict.show(answer, leavesOf(answer.results[0].labels, nested ? even.results[0].labels : null), Boolean(set.multi));
    } catch (error) {
      if (!signal.aborted) this.#fail(error, true);
    } finally {
      if (!signal.aborted) this.root.setAttribute("aria-busy", "false");
    }
  }

  async #save() {
    const set = this.#labelSet();
    if (!set?.labels.length) return this.#say("There are no labels to keep yet.");
    const name = this.name.value;
    const before = this.stored?.name === name ? this.stored : null;
    const { temperature, threshold } = this.verdict;
    const body = { ...(before?.body.temperature && { temperature: before.body.temperature }), ...(before?.body.threshold !== undefined && { threshold: before.body.threshold }), ...set };
    if (temperature !== null) body.temperature = Number(temperature.toPrecision(4));
    if (threshold !== null) body.threshold = threshold;
    try {
      const { version, tag } = await writeDocument("label-sets", name, body, before?.tag ?? null);
      this.stored = { name, body, tag, edited: false };
      this.verdict.untouch();
      this.#say("");
      await this.#listSets();
      this.saved.replaceChildren(`Saved as version ${version}. `, this.#applying(name));
      this.#ask();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** @param {string} name */
  #applying(name) {
    return h("button", { type: "button", class: "link", on: { click: () => this.#labelCatalog(name) } }, "Label the whole catalog by it");
  }

  /** What it says here of one image is said of every product. @param {string} name */
  async #labelCatalog(name) {
    this.#say("");
    this.saved.textContent = "The catalog is labelled…";
    try {
      const { products, changed, labels, disagreements } = await labelCatalog(name);
      const most = Object.entries(labels).map(([label, count]) => `${number(count)} ${label}`).join(", ");
      const others = disagreements ? ` Of ${number(disagreements.compared)} whose ${disagreements.field} is one of the labels, ${number(disagreements.count)} are called otherwise by the catalog${disagreements.count ? ", the surest first:" : "."}` : "";
      this.saved.textContent = `${number(products)} products labelled, ${number(changed)} of them anew: ${most}.${others}`;
      this.disputed.replaceChildren(...(disagreements?.products ?? []).slice(0, DISPUTED).map(({ id, title, given, predicted, looks_like }) =>
        h("li", {}, h("a", { href: `./?product=${encodeURIComponent(id)}` }, title ?? id), `: ${given}, here ${predicted}${looks_like && looks_like !== given ? `; looks like ${looks_like}` : ""}`)));
    } catch (error) {
      this.#fail(error);
    }
  }

  /** @param {string} words */
  #say(words) {
    this.saved.textContent = "";
    this.disputed.replaceChildren();
    if (words) this.error.say(words);
    else this.error.clear();
  }

  /** @param {unknown} error @param {boolean} [passing] */
  #fail(error, passing) {
    this.saved.textContent = "";
    this.error.fail(error, { passing });
  }
}

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
