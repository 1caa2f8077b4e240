/** The search box: words as they are typed, and the photo or product that is searched by. */

/** @import {Hit, Query} from "./types.js" */

import { showImage } from "./api.js";
import { byId, h, icon } from "./dom.js";
import { title } from "./format.js";

const PAUSE_MS = 200;

export class SearchBar {
  /**
   * @param {{onTyping: (q: string) => void, onSubmit: (q: string) => void, onRemoveImage: () => void}} actions
   */
  constructor({ onTyping, onSubmit, onRemoveImage }) {
    this.input = byId("words");
    this.token = byId("token");
    this.clearButton = byId("clear");
    this.onRemoveImage = onRemoveImage;
    this.timer = 0;
    this.input.addEventListener("input", () => {
      this.clearButton.hidden = this.input.value === "";
      clearTimeout(this.timer);
      this.timer = setTimeout(() => onTyping(this.input.value), PAUSE_MS);
    });
    byId("search").addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      clearTimeout(this.timer);
      onSubmit(this.input.value);
      // Puts the keyboard of a phone away, which covers the results.
      if (matchMedia("(pointer: coarse)").matches) this.input.blur();
    });
    this.clearButton.addEventListener("click", () => {
      clearTimeout(this.timer);
      this.input.value = "";
      this.input.focus();
      onSubmit("");
    });
    document.addEventListener("keydown", (event) => this.#key(event));
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (document.querySelector("dialog:modal")) return;
    const typing = event.target instanceof Element && event.target.matches("input:not([type=checkbox]), textarea, select");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      this.input.focus();
      this.input.select();
    } else if (event.key === "Escape" && !this.token.hidden) {
      event.preventDefault(); // Or the browser would empty the box as well.
      this.onRemoveImage();
      this.input.focus();
    }
  }

  focus() {
    this.input.focus();
  }

  /** @param {Query} query @param {Hit | null} liked The product of `query.like`, once it is known. */
  update(query, liked) {
    // What is being typed is ahead of the query, and trimmed in it: never overwrite it with itself.
    if (this.input.value.trim() !== query.q.trim()) {
      clearTimeout(this.timer);
      this.input.value = query.q;
    }
    this.clearButton.hidden = this.input.value === "";
    this.input.placeholder = query.photo || query.like ? "Add words to it" : "What are you looking for?";
    this.token.hidden = !query.photo && !query.like;
    if (query.photo) {
      this.#token("Your photo", (img) => (img.src = query.photo?.url));
    } else if (query.like) {
      const [image] = liked?.images ?? [];
      this.#token(`Like ${liked ? title(liked) : query.like}`, image ? (img) => showImage(img, image) : null);
    }
  }

  /** @param {string} name @param {((img: any) => void) | null} show */
  #token(name, show) {
    const img = show && h("img", { alt: "", on: { error: () => img.remove() } });
    if (show) show(img);
    const on = { click: () => (this.onRemoveImage(), this.input.focus()) };
    const remove = h("button", { type: "button", class: "icon-button", "aria-label": `Remove: ${name}`, on }, icon("close"));
    this.token.replaceChildren(...[img, h("span", { class: "token-name" }, name), remove].filter(Boolean));
  }
}
