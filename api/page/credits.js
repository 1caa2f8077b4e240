/** Which model answers, and whom the catalog thanks for its images. */

/** @import {Catalog} from "./types.js" */

import { byId, clamped, h } from "./dom.js";

/** About what is shown of a line before it is cut. */
const ONE_LINE = 100;
const LINK = /(https?:\/\/[^\s()<>"]+)/;

/** Text with its web addresses as links that show the host only. @param {string} text */
function linked(text) {
  // Splitting by a pattern with a group puts what it matched at the odd places.
  return text.split(LINK).map((part, i) => (i % 2 ? h("a", { href: part, rel: "noreferrer" }, host(part)) : part));
}

/** @param {string} address */
const host = (address) => (URL.canParse(address) ? new URL(address).host : address);

/** The first line of an attribution, which is the images'. @param {string} attribution */
export const imageCredit = (attribution) => h("p", { class: "credit clamp" }, ...linked(attribution.split("\n", 1)[0]));

/** Says it above the results. @param {Catalog} catalog */
export function showProvenance({ model, attribution }) {
  const lines = (attribution ?? "").split("\n").filter((line) => line.trim());
  const all = h("details", {}, h("summary", {}, "All credits"), ...lines.map((line) => h("p", {}, ...linked(line))));
  byId("provenance").replaceChildren(
    clamped(`Answers by: ${model.label}`, "p"),
    ...lines.slice(0, 1).map((line) => h("p", { class: "clamp" }, ...linked(line))),
    ...(lines.length > 1 || lines.some(({ length }) => length > ONE_LINE) ? [all] : []),
  );
}
