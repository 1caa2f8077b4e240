/** Catalog images in frames: loaded late, fitted by their shape, replaced by a sign when they are not there. */

import { showImage } from "./api.js";
import { h, icon } from "./dom.js";

/** An image fills its frame when that cuts away no more than about a fifth of it. */
const MOST_CUT = 1.25;

/**
 * @param {string | undefined} address
 * @param {string} alt
 * @param {{lazy?: boolean, or?: string}} [options] `or`: another address, where the first one cannot be shown.
 * @returns {HTMLElement} The frame.
 */
export function framed(address, alt, { lazy = true, or } = {}) {
  const frame = h("div", { class: "frame" });
  if (!address) {
    frame.append(noImage(alt));
    return frame;
  }
  const img = h("img", { alt, loading: lazy ? "lazy" : "eager", decoding: "async" });
  img.addEventListener("load", () => fit(img, frame));
  img.addEventListener("error", () => {
    if (or === undefined) return img.replaceWith(noImage(alt));
    showImage(img, or);
    or = undefined;
  });
  showImage(img, address);
  frame.append(img);
  return frame;
}

/** @param {string} alt */
function noImage(alt) {
  return h("div", { class: "no-image", role: "img", "aria-label": `${alt} (no image)` }, icon("image"));
}

/** @param {HTMLImageElement} img @param {HTMLElement} frame */
function fit(img, frame) {
  const shape = img.naturalWidth / img.naturalHeight;
  const room = frame.clientWidth / frame.clientHeight;
  img.classList.toggle("filling", Math.max(shape / room, room / shape) <= MOST_CUT);
}

/**
 * Gives the grid the shape that most of a catalog's images have: wide, square or tall.
 *
 * @param {string[]} addresses A few images of the catalog.
 */
export async function fitGrid(addresses) {
  const images = addresses.map((address) => {
    const img = new Image();
    showImage(img, address);
    return img.decode().then(() => img.naturalWidth / img.naturalHeight);
  });
  const shapes = (await Promise.allSettled(images)).flatMap((shape) => (shape.status === "fulfilled" ? shape.value : []));
  const usual = shapes.sort((a, b) => a - b)[Math.floor(shapes.length / 2)] ?? 1;
  document.body.dataset.shape = usual > 1.25 ? "wide" : usual < 0.87 ? "tall" : "square";
}
