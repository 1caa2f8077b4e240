/**
 * The photos that were searched by. They cannot be in an address, so an entry of the history holds a photo's key, and
 * the browser's own database keeps the photos over a reload. Where there is none (some private windows, a full disk) they
 * last as long as the page. Its API is used as it is: the page has no build step that would bring in a library for it.
 */

/** @import {Photo} from "./types.js" */

const STORE = "query-images";
/** Photos of people are not kept for longer than a visit may last, nor more of them than it needs. */
const LONGEST_MS = 24 * 60 * 60 * 1000;
const MOST = 20;

/** By key. @type {Map<number, Photo>} */
const photos = new Map();

/** @param {number | undefined} key @returns {Photo | null} Null where the browser does not have it any more. */
export const photoOf = (key) => photos.get(key ?? 0) ?? null;

/**
 * Keeps a photo for this visit.
 *
 * @param {Blob} file
 * @param {string} name
 * @returns {Photo}
 */
export function keepPhoto(file, name) {
  const key = Date.now() + Math.random(); // Sorted by age, and no other tab's.
  void open().then((store) => answerOf(store.put({ file, name }, key))).catch(() => {});
  return remember(key, file, name);
}

/** Gets back what earlier pages of this visit kept, and forgets what is old. */
export async function recallPhotos() {
  try {
    const store = await open();
    store.delete(IDBKeyRange.upperBound(Date.now() - LONGEST_MS));
    const [keys, kept] = await Promise.all([answerOf(store.getAllKeys()), answerOf(store.getAll())]);
    const old = Math.max(0, keys.length - MOST);
    if (old) store.delete(IDBKeyRange.upperBound(keys[old - 1]));
    for (let i = old; i < keys.length; i++) remember(Number(keys[i]), kept[i].file, kept[i].name);
  } catch {
    // Then the page says that the photo is gone.
  }
}

/** @param {number} key @param {Blob} file @param {string} name */
function remember(key, file, name) {
  const photo = { key, file, name, url: URL.createObjectURL(file) };
  photos.set(key, photo);
  return photo;
}

async function open() {
  const opening = indexedDB.open("storelens", 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
  const database = await answerOf(opening);
  return database.transaction(STORE, "readwrite").objectStore(STORE);
}

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
function answerOf(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
