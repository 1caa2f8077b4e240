/** Taking in a photo: dropped anywhere, pasted, chosen, or taken; large ones are made smaller first. */

import { byId } from "./dom.js";

const LARGE_BYTES = 4_000_000;
const LONGEST_SIDE = 1600;
const JPEG_QUALITY = 0.9;
/** Read by this page's browser perhaps, but not by servers. */
const SENT_AS_JPEG = /hei[cf]/;

/** A file that cannot be searched by; the message is for the person. */
export class PhotoError extends Error {}

/**
 * An image small enough to send.
 *
 * @param {Blob} file
 * @returns {Promise<Blob>}
 * @throws {PhotoError} It is not an image.
 */
export async function prepare(file) {
  if (file.type && !file.type.startsWith("image/")) {
    throw new PhotoError("That file is not an image. Try a JPEG, PNG or WebP.");
  }
  if (file.size <= LARGE_BYTES && file.type && !SENT_AS_JPEG.test(file.type)) return file;
  try {
    return await shrink(file);
  } catch {
    // The server reads formats that a browser does not, and says so when it does not either.
    return file;
  }
}

/** @param {Blob} file @returns {Promise<Blob>} */
async function shrink(file) {
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  const scale = Math.min(1, LONGEST_SIDE / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.fillStyle = "white"; // JPEG has no alpha: without this, see-through becomes black.
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no JPEG"))), "image/jpeg", JPEG_QUALITY),
  );
}

/**
 * Listens for photos on the whole page.
 *
 * @param {(file: File) => void} onPhoto
 * @param {(message: string) => void} onMistake
 */
export function listenForPhotos(onPhoto, onMistake) {
  for (const [button, input] of [["choose", "photo-file"], ["camera", "photo-camera"]]) {
    const field = byId(input);
    byId(button).addEventListener("click", () => field.click());
    field.addEventListener("change", () => {
      if (field.files[0]) onPhoto(field.files[0]);
      field.value = ""; // So that choosing the same photo again is a change.
    });
  }
  document.addEventListener("paste", (event) => {
    const file = [...(event.clipboardData?.files ?? [])].find(({ type }) => type.startsWith("image/"));
    if (!file) return;
    event.preventDefault();
    onPhoto(file);
  });
  listenForDrops(onPhoto, onMistake);
}

/** @param {(file: File) => void} onPhoto @param {(message: string) => void} onMistake */
function listenForDrops(onPhoto, onMistake) {
  const curtain = byId("drop");
  const holdsFile = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files") ?? false;
  // A drag enters every element it crosses; it has left the page when it left as often as it entered.
  let depth = 0;
  const show = (/** @type {number} */ now) => {
    depth = Math.max(0, now);
    curtain.hidden = depth === 0;
  };
  document.addEventListener("dragenter", (event) => holdsFile(event) && show(depth + 1));
  document.addEventListener("dragleave", (event) => holdsFile(event) && show(depth - 1));
  document.addEventListener("dragover", (event) => {
    if (holdsFile(event)) event.preventDefault(); // Without this the browser would open the file.
  });
  document.addEventListener("drop", (event) => {
    show(0);
    if (!holdsFile(event)) return;
    event.preventDefault();
    const files = [...(event.dataTransfer?.files ?? [])];
    const file = files.find(({ type }) => type.startsWith("image/")) ?? files[0];
    if (file) onPhoto(file);
    else onMistake("There was no image in what you dropped.");
  });
}
