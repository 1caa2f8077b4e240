/** The details of one product, in a dialog. */

/** @import {Hit, Query} from "./types.js" */

import { imageAddress } from "./api.js";
import { variants } from "./cards.js";
import { imageCredit } from "./credits.js";
import { byId, clamped, h, icon } from "./dom.js";
import { label, legWords, number, price, reasons, say, strength, title } from "./format.js";
import { framed } from "./images.js";

const SAID_ELSEWHERE = new Set(["id", "title", "description", "image", "images", "price", "currency", "brand", "group_id"]);
const MOST_VARIANTS = 12;

export class Detail {
  /** @param {{onClose: () => void, onLike: (id: string) => void, onOpen: (id: string) => void}} actions */
  constructor({ onClose, onLike, onOpen }) {
    this.dialog = byId("detail");
    this.onLike = onLike;
    this.onOpen = onOpen;
    this.dialog.addEventListener("close", onClose);
    // The dialog has no padding of its own: a click on the element itself is one beside the sheet.
    this.dialog.addEventListener("click", (/** @type {Event} */ { target }) => target === this.dialog && this.close());
  }

  close() {
    if (this.dialog.open) this.dialog.close();
  }

  /** @param {Hit} hit @param {Query} query @param {string | null | undefined} attribution */
  show(hit, query, attribution) {
    const body = h("div", { class: "sheet" }, this.#closeButton(), this.#gallery(hit, attribution), this.#text(hit, query));
    this.dialog.replaceChildren(body);
    if (!this.dialog.open) this.dialog.showModal();
    this.dialog.scrollTop = 0;
  }

  /** @param {string} message */
  fail(message) {
    const words = [h("h2", { id: "detail-title" }, "This product can’t be shown"), h("p", {}, message)];
    this.dialog.replaceChildren(h("div", { class: "sheet" }, this.#closeButton(), h("div", { class: "detail-text" }, ...words)));
    if (!this.dialog.open) this.dialog.showModal();
  }

  #closeButton() {
    const on = { click: () => this.close() };
    return h("button", { class: "icon-button sheet-close", type: "button", "aria-label": "Close", on }, icon("close"));
  }

  /** @param {Hit} hit @param {string | null | undefined} attribution */
  #gallery({ images, picture, ...hit }, attribution) {
    const name = title(/** @type {Hit} */ (hit));
    const stage = h("div", { class: "stage" });
    const thumbs = h("div", { class: "thumbs", role: "group", "aria-label": "Images" });
    const show = (/** @type {number} */ i) => {
      stage.replaceChildren(framed(images[i], images.length > 1 ? `Image ${i + 1} of ${name}` : `Image of ${name}`));
      [...thumbs.children].forEach((thumb, k) => thumb.setAttribute("aria-pressed", String(k === i)));
    };
    if (images.length > 1) {
      for (const [i, address] of images.entries()) {
        const on = { click: () => show(i) };
        thumbs.append(h("button", { type: "button", on }, framed(address, `Show image ${i + 1} of ${images.length}`)));
      }
    }
    show(picture ?? 0);
    const credit = attribution && images.length > 0 && imageCredit(attribution);
    return h("div", { class: "gallery" }, stage, thumbs, credit);
  }

  /** @param {Hit} hit @param {Query} query */
  #text(hit, query) {
    const { product, id } = hit;
    const like = { click: () => this.onLike(id) };
    return h(
      "div",
      { class: "detail-text" },
      product.brand && clamped(String(product.brand), "p", { class: "card-aside" }),
      clamped(title(hit), "h2", { id: "detail-title" }),
      price(product) && clamped(price(product), "p", { class: "detail-price" }),
      h("button", { class: "primary", type: "button", autofocus: true, on: like }, icon("similar"), "More like this"),
      product.description && h("p", { class: "description" }, product.description),
      this.#variants(hit),
      this.#attributes(hit),
      this.#why(hit, query),
    );
  }

  /** @param {Hit} hit */
  #variants({ group }) {
    if (!group || group.siblings === 0) return null;
    const ids = group.sibling_ids.slice(0, MOST_VARIANTS);
    const buttons = ids.map((id) => {
      const on = { click: () => this.onOpen(id) };
      return h("button", { type: "button", on }, framed(imageAddress(id, 0), `Variant ${id}`));
    });
    return h("section", {}, h("h3", {}, variants(group.siblings)), h("div", { class: "thumbs" }, ...buttons));
  }

  /** @param {Hit} hit */
  #attributes({ id, product }) {
    const rows = Object.entries(product).filter(([name, value]) => !SAID_ELSEWHERE.has(name) && sayAll(value));
    const pairs = [...rows.map(([name, value]) => [label(name), sayAll(value)]), ["Product id", id]];
    return h(
      "section",
      {},
      h("h3", {}, "Details"),
      h("dl", {}, ...pairs.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value)))),
    );
  }

  /** @param {Hit} hit @param {Query} query */
  #why({ explain }, query) {
    if (!explain || (explain.legs.length === 0 && !explain.exact)) return null;
    const legs = [...explain.legs].sort((a, b) => strength(b) - strength(a));
    const most = Math.max(...legs.map(strength), 0.001);
    const rows = legs.map((leg) =>
      h(
        "li",
        {},
        h("span", {}, legWords(leg.leg, query)),
        h("meter", { min: 0, max: most, value: strength(leg), "aria-label": `Weight of “${legWords(leg.leg, query)}”` }),
        h("span", { class: "count" }, `${leg.leg}, no. ${number(leg.rank)}`),
      ),
    );
    const section = [h("h3", {}, "Why it matched"), h("p", {}, reasons(explain, query).join(" · "))];
    return h("section", { class: "legs" }, ...section, h("ul", {}, ...rows));
  }
}

/** A value of a catalog row in words; empty for what has none. @param {unknown} value @returns {string} */
function sayAll(value) {
  if (Array.isArray(value)) return value.map(sayAll).filter(Boolean).join(", ");
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? JSON.stringify(value) : say(/** @type {any} */ (value));
}
