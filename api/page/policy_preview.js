/** What rules on the screen decide of the catalog, beside what the stored policy decides: before anybody saves them. */

/** @import {Action, Decision, Rule} from "./types.js" */

import { imageAddress, moderate } from "./api.js";
import { byId, clamped, h } from "./dom.js";
import { number } from "./format.js";
import { framed } from "./images.js";

const AT_ONCE = 1000;
/** Products that are judged; beyond them the preview says so. */
const MOST_JUDGED = 5000;
const MOST_SHOWN = 24;
/** @type {Action[]} */
const ACTIONS = ["allow", "review", "block"];

export class PolicyPreview {
  constructor() {
    this.element = h("div", { class: "judged", "aria-live": "polite" });
    /** What the stored policy decides, by product. @type {Map<string, Action>} */
    this.before = new Map();
    /** What the rules on the screen score. @type {Decision[]} */
    this.judged = [];
  }

  /** Another policy is on the screen. */
  forget() {
    this.before = new Map();
    this.judged = [];
    this.element.replaceChildren();
  }

  /** @param {string} words */
  say(words) {
    this.element.replaceChildren(h("p", { class: "soft" }, words));
  }

  /**
   * Holds the catalog to rules, and once to the policy as it is stored.
   *
   * @param {Rule[]} rules
   * @param {string | null} stored The policy's name; null: there is none.
   * @param {AbortSignal} signal
   */
  async judge(rules, stored, signal) {
    if (stored && !this.before.size) {
      const decisions = await this.#decisions({ policy: stored }, signal);
      this.before = new Map(decisions.map(({ id, action }) => [id, action]));
    }
    this.judged = await this.#decisions({ rules }, signal);
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
      this.say(`${number(decisions.length)} products judged…`);
    }
    signal.throwIfAborted();
    return decisions;
  }

  /** What a rule scores. @param {string} name */
  scores(name) {
    return this.judged.flatMap(({ rules, by }) => rules.filter(({ rule }) => rule === name).map((one) => ({ ...one, by })));
  }

  /** These rules are what is stored from now on. @param {Rule[]} rules */
  adopt(rules) {
    this.before = new Map(this.judged.map((decision) => [decision.id, this.#action(decision, rules)]));
  }

  /** What rules decide of a product. @param {Decision} decision @param {Rule[]} onScreen @returns {Action} */
  #action({ rules, by, appeal }, onScreen) {
    if (appeal) return appeal.action;
    const own = new Map(onScreen.map((rule) => [rule.name, rule]));
    const fired = rules.filter(({ rule, score, threshold }) => {
      // Of titles the server has thresholds of its own.
      const line = by === "image" ? (own.get(rule)?.threshold ?? threshold) : threshold;
      return line !== null && line !== undefined && score >= line;
    });
    return fired.reduce((most, { rule, action }) => stricter(most, own.get(rule)?.action ?? action), /** @type {Action} */ ("allow"));
  }

  /** What is decided with thresholds and actions where they stand now. @param {Rule[]} rules */
  show(rules) {
    const after = this.judged.map((decision) => ({ decision, action: this.#action(decision, rules), before: this.before.get(decision.id) }));
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
    this.element.replaceChildren(
      h("h2", {}, head), cut ?? "",
      h("dl", { class: "counts" }, ...ACTIONS.map((action) =>
        h("div", { class: action }, h("dt", {}, action), h("dd", {}, number(count(action)), known && earlier(action) !== count(action) ? h("span", { class: "soft" }, ` was ${number(earlier(action))}`) : "")))),
      h("ul", { class: "changes" }, ...shown.slice(0, MOST_SHOWN).map(changeCard)),
      shown.length > MOST_SHOWN ? h("p", { class: "soft" }, `and ${number(shown.length - MOST_SHOWN)} more`) : "",
    );
    byId("status").textContent = head;
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
