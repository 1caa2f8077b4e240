/** What tabs that edit stored documents share: the field of a document's name, texts of a line each, and what went wrong. */

import { ApiError } from "./api.js";
import { h } from "./dom.js";

const NAME = "[a-z0-9][a-z0-9_\\-]{0,63}";

/** @param {string} id @param {string} placeholder */
export function nameField(id, placeholder) {
  return h("input", { id, required: true, pattern: NAME, placeholder, title: "Small letters, digits, - and _", autocapitalize: "none" });
}

/** @param {string} text */
export const lines = (text) => text.split("\n").map((line) => line.trim()).filter(Boolean);

/** The error on the screen, if any. */
export class ErrorLine {
  constructor() {
    this.element = h("div", { class: "wrong", role: "alert" });
    /** Whether it is of what a change asks by itself: the next answer takes such an error away, and no other. */
    this.passing = false;
  }

  /** @param {...import("./dom.js").Child} words */
  say(...words) {
    this.passing = false;
    this.element.replaceChildren(h("p", {}, ...words));
  }

  clear() {
    this.passing = false;
    this.element.replaceChildren();
  }

  answered() {
    if (this.passing) this.clear();
  }

  /** @param {unknown} error @param {{passing?: boolean, again?: () => void}} [more] `again` reads what somebody else has changed. */
  fail(error, { passing = false, again } = {}) {
    if (!(error instanceof ApiError)) throw error;
    const places = error.errors.map(({ field, message }) => [field, message].filter(Boolean).join(": "));
    const words = `${error.title}. ${places.length ? places.join("; ") : error.message}`;
    const stale = again && error.status === 412;
    this.say(words, ...(stale ? [" ", h("button", { type: "button", class: "link", on: { click: again } }, "Read it again")] : []));
    this.passing = passing;
  }
}
