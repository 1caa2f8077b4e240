/** Policies: their rules in a form, or as JSON, with a preview of what an edit would change before anybody saves it. */

/** @import {Rule} from "./types.js" */

import { deleteDocument, judgeCatalog, listDocuments, readDocument, writeDocument } from "./api.js";
import { ErrorLine, nameField } from "./document_form.js";
import { h } from "./dom.js";
import { number } from "./format.js";
import { PolicyPreview } from "./policy_preview.js";
import { RuleForm } from "./rule_form.js";

const PAUSE_MS = 600;
const NEW = "";
/** @type {Rule} */
const FIRST_RULE = { name: "weapons", prompts: ["a photo of a knife", "a photo of a gun"], counter_prompts: ["a photo of a product"], action: "review" };

export class Policies {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    /** The policy on the screen: `body` as it is stored, null where it is new. @type {{name: string, body: {rules: Rule[]} | null, tag: string | null} | null} */
    this.stored = null;
    /** @type {RuleForm[]} */
    this.forms = [];
    this.running = new AbortController();
    this.timer = 0;
    this.error = new ErrorLine();
    this.preview = new PolicyPreview();
    this.#draw();
  }

  async open() {
    try {
      const names = await this.#list();
      if (!this.stored) await this.#choose(names[0] ?? NEW);
    } catch (error) {
      this.#fail(error);
    }
  }

  #draw() {
    this.names = h("select", { id: "policy", on: { change: () => this.#leave(() => this.#choose(this.names.value)) } });
    this.name = nameField("policy-name", "house-rules");
    this.rules = h("div", { class: "rules" });
    this.raw = h("textarea", { id: "policy-json", rows: 16, spellcheck: false, on: { input: () => this.#fromJson() } });
    this.rawWrong = h("p", { class: "wrong" });
    this.saved = h("p", { class: "soft", role: "status" });
    this.remove = h("button", { type: "button", class: "quiet", on: { click: () => this.#delete() } }, "Delete");
    const form = h("form", { class: "policy", on: { submit: (/** @type {Event} */ event) => (event.preventDefault(), this.#save()) } },
      h("div", { class: "policy-head" },
        h("div", {}, h("label", { for: "policy" }, "Policy"), this.names),
        h("div", {}, h("label", { for: "policy-name" }, "Its name"), this.name)),
      this.rules,
      h("button", { type: "button", class: "quiet", on: { click: () => this.#add() } }, "Add a rule"),
      h("details", {}, h("summary", {}, "As JSON"), h("label", { class: "hidden", for: "policy-json" }, "The policy as JSON"), this.raw, this.rawWrong),
      this.error.element,
      h("div", { class: "policy-foot" }, h("button", { type: "submit", class: "primary" }, "Save the policy"), this.remove, this.saved));
    this.root.replaceChildren(h("div", { class: "policies" }, form, this.preview.element));
  }

  async #list() {
    const names = await listDocuments("policies");
    this.names.replaceChildren(...names.map((name) => h("option", { value: name }, name)), h("option", { value: NEW }, "A new one"));
    this.names.value = this.stored?.name ?? NEW;
    return names;
  }

  /** @param {string} name */
  async #choose(name) {
    this.preview.forget();
    this.error.clear();
    this.saved.textContent = "";
    if (name === NEW) this.stored = { name: "", body: null, tag: null };
    else {
      try {
        this.stored = { name, ...(await readDocument("policies", name)) };
      } catch (error) {
        return this.#fail(error);
      }
    }
    this.names.value = name;
    this.name.value = name;
    this.name.disabled = name !== NEW;
    this.remove.hidden = name === NEW;
    this.#show(this.stored.body?.rules ?? [FIRST_RULE]);
    await this.#judge();
  }

  /** Goes on unless there is something unsaved that somebody wants to keep. @param {() => void} go */
  #leave(go) {
    const changed = this.stored?.body && JSON.stringify(this.stored.body.rules) !== JSON.stringify(this.#rules());
    if (changed && !confirm("What you changed is not saved. Leave it?")) this.names.value = this.stored?.name ?? NEW;
    else go();
  }

  /** @param {Rule[]} rules */
  #show(rules) {
    this.forms = rules.map((rule) => this.#form(rule));
    this.rules.replaceChildren(...this.forms.map(({ element }) => element));
    this.#toJson();
  }

  /** @param {Rule} rule */
  #form(rule) {
    const form = new RuleForm(rule, {
      onText: () => this.#changed(),
      onThreshold: () => (this.#toJson(), this.#showPreview(), this.#later()),
      onRemove: () => {
        this.forms = this.forms.filter((one) => one !== form);
        form.element.remove();
        this.#changed();
      },
    });
    return form;
  }

  #add() {
    const form = this.#form({ name: "", prompts: [], action: "review" });
    this.forms.push(form);
    this.rules.append(form.element);
    form.focus();
    this.#toJson();
  }

  #rules() {
    return this.forms.map((form) => form.rule);
  }

  #toJson() {
    this.raw.value = JSON.stringify({ rules: this.#rules() }, null, 2);
    this.rawWrong.textContent = "";
  }

  #fromJson() {
    let rules;
    try {
      ({ rules } = JSON.parse(this.raw.value));
      if (!Array.isArray(rules) || rules.some((rule) => typeof rule !== "object" || rule === null)) throw new Error("it needs a list called rules");
    } catch (error) {
      this.rawWrong.textContent = `Not yet a policy: ${/** @type {Error} */ (error).message}`;
      return;
    }
    this.rawWrong.textContent = "";
    this.forms = rules.map((rule) => this.#form(rule));
    this.rules.replaceChildren(...this.forms.map(({ element }) => element));
    this.#later();
  }

  #changed() {
    this.#toJson();
    this.#later();
  }

  #later() {
    this.saved.textContent = "";
    this.error.clear();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#judge(), PAUSE_MS);
  }

  async #judge() {
    clearTimeout(this.timer);
    this.running.abort();
    this.running = new AbortController();
    const { signal } = this.running;
    const rules = this.#rules();
    if (!rules.length || rules.some(({ name, prompts, images }) => !name || !(prompts?.length || images?.length))) {
      return this.preview.say("A rule needs a name, and prompts or images of what it is about.");
    }
    this.root.setAttribute("aria-busy", "true");
    try {
      await this.preview.judge(rules, this.stored?.tag ? this.stored.name : null, signal);
      this.error.answered();
      for (const form of this.forms) form.spread(this.preview.scores(form.rule.name));
      this.#showPreview();
    } catch (error) {
      if (!signal.aborted) this.#fail(error, true);
    } finally {
      if (!signal.aborted) this.root.setAttribute("aria-busy", "false");
    }
  }

  #showPreview() {
    for (const form of this.forms) form.paint();
    this.preview.show(this.#rules());
  }

  async #save() {
    const body = { rules: this.#rules() };
    const name = this.name.value;
    try {
      const { version, tag } = await writeDocument("policies", name, body, this.stored?.tag ?? null);
      this.stored = { name, body, tag };
      this.preview.adopt(body.rules);
      this.name.disabled = true;
      this.remove.hidden = false;
      this.error.clear();
      await this.#list();
      await this.#judge();
      const apply = h("button", { type: "button", class: "link", on: { click: () => this.#judgeCatalog(name) } }, "Judge the whole catalog by it");
      this.saved.replaceChildren(`Saved as version ${version}. `, apply);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** What the preview shows becomes what counts. @param {string} name */
  async #judgeCatalog(name) {
    this.saved.textContent = "The catalog is judged…";
    try {
      const { products, review, block, changed } = await judgeCatalog(name);
      this.saved.textContent = `${number(products)} products judged, ${number(changed)} of them otherwise than before: ${number(block)} blocked, ${number(review)} to review, by all policies together.`;
    } catch (error) {
      this.saved.textContent = "";
      this.#fail(error);
    }
  }

  async #delete() {
    if (!this.stored?.tag || !confirm(`Delete the policy ${this.stored.name}?`)) return;
    try {
      await deleteDocument("policies", this.stored.name, this.stored.tag);
      this.stored = null;
      await this.#choose((await this.#list())[0] ?? NEW);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** @param {unknown} error @param {boolean} [passing] */
  #fail(error, passing) {
    this.error.fail(error, { passing, again: () => this.#choose(this.stored?.name ?? NEW) });
  }
}
