/** Policies: their rules in a form, and what an edit would change in the catalog before anybody saves it. */

/** @import {Action, Decision, Rule} from "./types.js" */

import { ApiError, deleteDocument, imageAddress, listDocuments, moderate, readDocument, writeDocument } from "./api.js";
import { byId, clamped, h } from "./dom.js";
import { framed } from "./images.js";
import { number } from "./format.js";
import { RuleForm } from "./rule_form.js";

const PAUSE_MS = 600;
const AT_ONCE = 1000;
/** Products that a preview judges; beyond them it says so. */
const MOST_JUDGED = 5000;
const MOST_SHOWN = 24;
const NAME = "[a-z0-9][a-z0-9_\\-]{0,63}";
const NEW = "";
/** @type {Action[]} */
const ACTIONS = ["allow", "review", "block"];
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
    /** What the stored policy decides, by product. @type {Map<string, Action>} */
    this.before = new Map();
    /** What the rules on the screen say. @type {Decision[]} */
    this.judged = [];
    this.running = new AbortController();
    this.timer = 0;
    /** Whether the error on the screen is that of a judgement: the next one takes no other away. */
    this.unjudged = false;
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
    this.name = h("input", { id: "policy-name", required: true, pattern: NAME, placeholder: "house-rules", title: "Small letters, digits, - and _", autocapitalize: "none" });
    this.rules = h("div", { class: "rules" });
    this.raw = h("textarea", { id: "policy-json", rows: 16, spellcheck: false, on: { input: () => this.#fromJson() } });
    this.rawWrong = h("p", { class: "wrong" });
    this.error = h("div", { class: "wrong", role: "alert" });
    this.saved = h("p", { class: "soft", role: "status" });
    this.judging = h("div", { class: "judged", "aria-live": "polite" });
    this.remove = h("button", { type: "button", class: "quiet", on: { click: () => this.#delete() } }, "Delete");
    const form = h("form", { class: "policy", on: { submit: (/** @type {Event} */ event) => (event.preventDefault(), this.#save()) } },
      h("div", { class: "policy-head" },
        h("div", {}, h("label", { for: "policy" }, "Policy"), this.names),
        h("div", {}, h("label", { for: "policy-name" }, "Its name"), this.name)),
      this.rules,
      h("button", { type: "button", class: "quiet", on: { click: () => this.#add() } }, "Add a rule"),
      h("details", {}, h("summary", {}, "As JSON"), h("label", { class: "hidden", for: "policy-json" }, "The policy as JSON"), this.raw, this.rawWrong),
      this.error,
      h("div", { class: "policy-foot" }, h("button", { type: "submit", class: "primary" }, "Save the policy"), this.remove, this.saved));
    this.root.replaceChildren(h("div", { class: "policies" }, form, this.judging));
  }

  async #list() {
    const names = await listDocuments("policies");
    this.names.replaceChildren(...names.map((name) => h("option", { value: name }, name)), h("option", { value: NEW }, "A new one"));
    this.names.value = this.stored?.name ?? NEW;
    return names;
  }

  /** @param {string} name */
  async #choose(name) {
    this.before = new Map();
    this.judged = [];
    this.error.replaceChildren();
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
      onThreshold: () => (this.#toJson(), this.#showChanges(), this.#later()),
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
    this.error.replaceChildren();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#judge(), PAUSE_MS);
  }

  /** Holds the catalog to the rules on the screen, and once to the policy as it is stored. */
  async #judge() {
    clearTimeout(this.timer);
    this.running.abort();
    this.running = new AbortController();
    const { signal } = this.running;
    const rules = this.#rules();
    if (!rules.length || rules.some(({ name, prompts, images }) => !name || !(prompts?.length || images?.length))) {
      this.judging.replaceChildren(h("p", { class: "soft" }, "A rule needs a name, and prompts or images of what it is about."));
      return;
    }
    this.root.setAttribute("aria-busy", "true");
    try {
      if (this.stored?.tag && !this.before.size) {
        const decisions = await this.#decisions({ policy: this.stored.name }, signal);
        this.before = new Map(decisions.map(({ id, action }) => [id, action]));
      }
      const judged = await this.#decisions({ rules }, signal);
      if (signal.aborted) return;
      this.judged = judged;
      if (this.unjudged) this.error.replaceChildren();
      this.unjudged = false;
      for (const form of this.forms) {
        const { name } = form.rule;
        form.spread(judged.flatMap(({ rules, by }) => rules.filter(({ rule }) => rule === name).map((one) => ({ ...one, by }))));
      }
      this.#showChanges();
    } catch (error) {
      if (!signal.aborted) this.#fail(error, true);
    } finally {
      if (!signal.aborted) this.root.setAttribute("aria-busy", "false");
    }
  }

  /** @param {Record<string, any>} asked @param {AbortSignal} signal @returns {Promise<Decision[]>} */
  async #decisions(asked, signal) {
    /** @type {Decision[]} */
    const decisions = [];
    for (let cursor; decisions.length < MOST_JUDGED; ) {
      const answer = await moderate({ ...asked, filter: {}, limit: AT_ONCE, ...(cursor && { cursor }) }, signal);
      decisions.push(...answer.decisions);
      cursor = answer.next_cursor;
      if (!cursor) break;
      this.judging.replaceChildren(h("p", { class: "soft" }, `${number(decisions.length)} products judged…`));
    }
    return decisions;
  }

  /** What the rules decide of a product with thresholds where they stand now. @param {Decision} decision @returns {Action} */
  #action({ rules, by, appeal }) {
    if (appeal) return appeal.action;
    const own = new Map(this.#rules().map((rule) => [rule.name, rule]));
    const fired = rules.filter(({ rule, score, threshold }) => {
      // Of titles the server has thresholds of its own.
      const line = by === "image" ? (own.get(rule)?.threshold ?? threshold) : threshold;
      return line !== null && line !== undefined && score >= line;
    });
    return fired.reduce((most, { rule, action }) => stricter(most, own.get(rule)?.action ?? action), /** @type {Action} */ ("allow"));
  }

  #showChanges() {
    for (const form of this.forms) form.paint();
    const after = this.judged.map((decision) => ({ decision, action: this.#action(decision), before: this.before.get(decision.id) }));
    const count = (/** @type {Action} */ action) => after.filter((one) => one.action === action).length;
    const known = this.before.size > 0;
    const earlier = (/** @type {Action} */ action) => after.filter((one) => one.before === action).length;
    const changed = known ? after.filter(({ action, before }) => action !== before) : after.filter(({ action }) => action !== "allow");
    changed.sort((a, b) => surest(b.decision) - surest(a.decision));
    const head = known
      ? changed.length ? `This edit changes ${number(changed.length)} of ${number(after.length)} products` : `Nothing changes among ${number(after.length)} products`
      : `Would stop ${number(changed.length)} of ${number(after.length)} products`;
    const cut = after.length >= MOST_JUDGED ? h("p", { class: "soft" }, `The first ${number(MOST_JUDGED)} products are judged here; all of them are by python -m ingest moderate --policy NAME.`) : null;
    // Where nothing changes, what is stopped is what there is to see.
    const shown = known && !changed.length ? after.filter(({ action }) => action !== "allow").sort((a, b) => surest(b.decision) - surest(a.decision)) : changed;
    this.judging.replaceChildren(
      h("h2", {}, head), cut ?? "",
      h("dl", { class: "counts" }, ...ACTIONS.map((action) =>
        h("div", { class: action }, h("dt", {}, action), h("dd", {}, number(count(action)), known && earlier(action) !== count(action) ? h("span", { class: "soft" }, ` was ${number(earlier(action))}`) : "")))),
      h("ul", { class: "changes" }, ...shown.slice(0, MOST_SHOWN).map(changeCard)),
      shown.length > MOST_SHOWN ? h("p", { class: "soft" }, `and ${number(shown.length - MOST_SHOWN)} more`) : "",
    );
    byId("status").textContent = head;
  }

  async #save() {
    const body = { rules: this.#rules() };
    const name = this.name.value;
    try {
      const { version, tag } = await writeDocument("policies", name, body, this.stored?.tag ?? null);
      this.stored = { name, body, tag };
      this.before = new Map(this.judged.map((decision) => [decision.id, this.#action(decision)]));
      this.name.disabled = true;
      this.remove.hidden = false;
      this.error.replaceChildren();
      await this.#list();
      await this.#judge();
      this.saved.replaceChildren(`Saved as version ${version}. Products follow with `, h("code", {}, `python -m ingest moderate --policy ${name}`), ".");
    } catch (error) {
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

  /** @param {unknown} error */
  #fail(error, unjudged = false) {
    if (!(error instanceof ApiError)) throw error;
    this.unjudged = unjudged;
    const places = error.errors.map(({ field, message }) => [field, message].filter(Boolean).join(": "));
    const again = error.status === 412 && h("button", { type: "button", class: "link", on: { click: () => this.#choose(this.stored?.name ?? NEW) } }, "Read it again");
    this.error.replaceChildren(h("p", {}, `${error.title}. ${places.length ? places.join("; ") : error.message} `, again));
  }
}

/** @param {Action} one @param {Action} other */
const stricter = (one, other) => (ACTIONS.indexOf(other) > ACTIONS.indexOf(one) ? other : one);

/** By how much the surest rule fires, or fails to. @param {Decision} decision */
const surest = ({ rules }) => Math.max(-Infinity, ...rules.map(({ score, threshold }) => score - (threshold ?? Infinity)));

/** @param {{decision: Decision, action: Action, before?: Action}} change */
function changeCard({ decision, action, before }) {
  const badge = (/** @type {Action} */ one) => h("span", { class: `badge ${one}` }, one);
  const most = [...decision.rules].sort((a, b) => b.score - (b.threshold ?? Infinity) - (a.score - (a.threshold ?? Infinity)))[0];
  const image = imageAddress(decision.id, 0);
  return h(
    "li",
    {},
    // Who reviews sees what is blocked as well; nobody else is told of it, nor may ask so.
    framed(`${image}?review=true`, `Image of ${decision.id}`, { or: image }),
    clamped(decision.id, "span", { class: "change-id" }),
    h("span", {}, ...(before && before !== action ? [badge(before), " → "] : []), badge(action)),
    most && clamped(`${most.rule} ${most.score.toFixed(3)}`, "span", { class: "soft" }),
  );
}
