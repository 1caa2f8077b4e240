/** The page of labels: its three tabs, and which of them is open, as the address has it. */

import { byId, drawIcons } from "./dom.js";
import { Classifying } from "./classifying.js";
import { Policies } from "./policies.js";
import { Reviewing } from "./reviewing.js";

const TABS = ["try", "policies", "review"];

/** What each tab shows; made when it is first opened. @type {Record<string, {open: () => void, leave?: () => void} | undefined>} */
const made = {};

/** @param {string} name */
function make(name) {
  const root = byId(name);
  if (name === "try") return new Classifying(root);
  return name === "policies" ? new Policies(root) : new Reviewing(root);
}

/** @type {string | undefined} */
let shown;

function show() {
  const asked = location.hash.slice(1);
  const open = TABS.includes(asked) ? asked : TABS[0];
  if (open === shown) return;
  if (shown) made[shown]?.leave?.();
  shown = open;
  for (const name of TABS) {
    const tab = byId(`tab-${name}`);
    tab.setAttribute("aria-selected", String(name === open));
    tab.tabIndex = name === open ? 0 : -1;
    byId(name).hidden = name !== open;
  }
  (made[open] ??= make(open)).open();
}

for (const [i, name] of TABS.entries()) {
  const tab = byId(`tab-${name}`);
  tab.addEventListener("click", () => (location.hash = name));
  tab.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const next = byId(`tab-${TABS[(i + step + TABS.length) % TABS.length]}`);
    next.focus();
    next.click();
  });
}
document.querySelector(".skip")?.addEventListener("click", (event) => {
  event.preventDefault(); // The address says which tab is open.
  byId("main").focus();
});
window.addEventListener("hashchange", show);
window.addEventListener("pagehide", () => shown && made[shown]?.leave?.());
drawIcons();
show();
