/** One hit in the grid. */

/** @import {Hit, Query} from "./types.js" */

import { clamped, h, icon } from "./dom.js";
import { cardReasons, price, title } from "./format.js";
import { markedDescription, markedTitle } from "./highlight.js";
import { framed } from "./images.js";

const MOST_SWATCHES = 5;
/** Variants that are asked for: among them are some that differ by size alone. */
export const MOST_VARIANTS = 8;

/**
 * @param {Hit} hit
 * @param {Query} query What found it.
 * @param {{onOpen: (id: string) => void, onLike: (id: string) => void}} actions
 * @returns {HTMLLIElement}
 */
export function card(hit, query, { onOpen, onLike }) {
  const { product, explain, group } = hit;
  const name = title(hit);
  const aside = [product.brand, product.category].filter(Boolean).join(" · ");
  const cost = price(product);
  const why = cardReasons(explain, query).join(" · ");
  const part = markedDescription(hit);
  return h(
    "li",
    { class: "card", data: { id: hit.id } },
    framed(hit.images[hit.picture ?? 0] ?? hit.images[0], `Image of ${name}`),
    h(
      "div",
      { class: "card-body" },
      h("h3", {}, h("button", { type: "button", class: "card-open", on: { click: () => onOpen(hit.id) } }, ...markedTitle(hit))),
      aside && clamped(aside, "p", { class: "card-aside" }),
      h(
        "p",
        { class: "card-price" },
        cost && clamped(cost, "strong"),
        product.in_stock === false && h("span", { class: "out" }, "Out of stock"),
        group && group.siblings > 0 && h("span", { class: "variants" }, variants(group.siblings)),
      ),
      group && group.siblings > 0 && h("ul", { class: "swatches", "aria-label": `Variants of ${name}` }),
      part && h("p", { class: "snippet clamp" }, ...part),
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

/**
 * Shows what the other members of a card's group look like: their images, or their colours where there are none.
 *
 * @param {HTMLElement} card
 * @param {Hit} hit
 * @param {Hit[]} others
 * @param {(id: string) => void} onOpen
 */
export function showSwatches(card, hit, others, onOpen) {
  const looks = new Set([look(hit)]);
  const differing = others.filter((other) => !looks.has(look(other)) && looks.add(look(other)));
  const shown = (differing.length ? differing : others).slice(0, MOST_SWATCHES);
  const swatches = shown.map((other) => {
    const color = [other.product.color].flat().filter(Boolean).join(", ");
    const name = [title(other), color].filter(Boolean).join(", ");
    const button = h("button", { type: "button", title: name, "aria-label": name, on: { click: () => onOpen(other.id) } });
    if (other.images[0]) button.append(framed(other.images[0], ""));
    else if (color && CSS.supports("color", color.split(",")[0])) button.style.background = color.split(",")[0];
    else button.append(clamped(color || title(other)));
    return h("li", {}, button);
  });
  card.querySelector(".swatches")?.replaceChildren(...swatches);
}

/** Variants of one colour look alike, whatever their sizes. Without colours each has a look of its own. @param {Hit} hit */
const look = ({ id, product }) => (product.color ? JSON.stringify([product.color].flat()) : id);

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
