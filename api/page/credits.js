/** Which model answers, and whom the catalog thanks for its pictures. */

/** @import {Catalog} from "./types.js" */

import { byId, h } from "./dom.js";

const LINK = /(https?:\/\/[^\s()<>"]+)/;

/** Text with its web addresses as links that show the host only. @param {string} text */
function linked(text) {
  // Splitting by a pattern with a group puts what it matched at the odd places.
  return text.split(LINK).map((part, i) => (i % 2 ? h("a", { href: part, rel: "noreferrer" }, host(part)) : part));
}

/** @param {string} address */
const host = (address) => (URL.canParse(address) ? new URL(address).host : address);

/** The first line of an attribution, which is the pictures'. @param {string} attribution */
export const pictureCredit = (attribution) => h("p", { class: "credit" }, ...linked(attribution.split("\n", 1)[0]));

/** Says it above the results. @param {Catalog} catalog */
export function showProvenance({ model, attribution }) {
  const [first, ...others] = (attribution ?? "").split("\n").filter((line) => line.trim());
  const rest = h("details", {}, h("summary", {}, "All credits"), ...others.map((line) => h("p", {}, ...linked(line))));
  byId("provenance").replaceChildren(
    h("p", {}, `Answers by: ${model.label}`),
    ...(first ? [h("p", {}, ...linked(first))] : []),
    ...(others.length ? [rest] : []),
  );
}
