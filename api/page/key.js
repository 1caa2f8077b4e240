/** Asking for the API key, where the server wants one. */

import { byId, h } from "./dom.js";

/**
 * Opens the dialog and waits for a key; it cannot be dismissed, as nothing works without one.
 *
 * @param {boolean} refused A key was given and the server did not take it.
 * @returns {Promise<string>}
 */
export function askForKey(refused) {
  const dialog = byId("key");
  const field = h("input", { id: "key-field", type: "password", required: true, autocomplete: "off", autofocus: true });
  const form = h(
    "form",
    { method: "dialog" },
    h("h2", { id: "key-title" }, "This catalog needs a key"),
    refused && h("p", { class: "wrong", role: "alert" }, "That key was not accepted."),
    h("p", {}, "Ask whoever runs this StoreLens for it. It is kept until you close this tab."),
    h("label", { for: "key-field" }, "API key"),
    field,
    h("button", { class: "primary", type: "submit" }, "Continue"),
  );
  dialog.replaceChildren(form);
  return new Promise((resolve) => {
    form.addEventListener("submit", () => resolve(field.value.trim()));
    dialog.oncancel = (/** @type {Event} */ event) => event.preventDefault();
    if (!dialog.open) dialog.showModal();
  });
}
