/** One hit in the grid. */

/** @import {Hit, Query} from "./types.js" */

import { clamped, h, icon } from "./dom.js";
import { price, reasons, title } from "./format.js";
import { framed } from "./images.js";

/**
 * @param {Hit} hit
 * @param {Query} query What found it.
 * @param {{onOpen: (id: string) => void, onLike: (id: string) => void}} actions
 * @returns {HTMLLIElement}
 */
export function card(hit, query, { onOpen, onLike }) {
  const { product, explain, group } = hit;
  const name = title(hit);
  const why = reasons(explain, query).join(" · ");
  const cost = price(product);
  const aside = [product.brand, product.category].filter(Boolean).join(" · ");
  return h(
    "li",
    { class: "card", data: { id: hit.id } },
    framed(hit.images[hit.picture ?? 0] ?? hit.images[0], `Image of ${name}`),
    h(
      "div",
      { class: "card-body" },
      h("h3", {}, h("button", { type: "button", class: "card-open", on: { click: () => onOpen(hit.id) } }, name)),
      aside && clamped(aside, "p", { class: "card-aside" }),
      h(
        "p",
        { class: "card-price" },
        cost && clamped(cost, "strong"),
        product.in_stock === false && h("span", { class: "out" }, "Out of stock"),
        group && group.siblings > 0 && h("span", { class: "variants" }, variants(group.siblings)),
      ),
      why && h("p", { class: "why clamp" }, h("span", { class: "hidden" }, "Why: "), why),
    ),
    h(
      "button",
      { type: "button", class: "like", "aria-label": `Similar to ${name}`, on: { click: () => onLike(hit.id) } },
      icon("similar"),
      h("span", {}, "Similar"),
    ),
  );
}

/** @param {number} count */
export const variants = (count) => `+${count} ${count === 1 ? "variant" : "variants"}`;

/** The place of a card that is on its way. */
export function skeleton() {
  return h(
    "li",
    { class: "card skeleton", "aria-hidden": "true" },
    h("div", { class: "frame" }),
    h("div", { class: "card-body" }, h("p", { class: "line" }), h("p", { class: "line short" })),
  );
}
