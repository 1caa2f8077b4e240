/** From similarities to probabilities, as the server does it (labels/classifier.py). */

/** @import {LabelScore} from "./types.js" */

export const UNKNOWN = "unknown";

/**
 * @typedef {{path: string[], similarity: number, scores: number[]}} Leaf A label that has none within. `scores` are the
 *   similarities of what it is within, from the top down to itself; among siblings differences alone matter.
 */

/**
 * The labels of an answer.
 *
 * @param {LabelScore[]} labels All of them, the nearest first.
 * @param {LabelScore[] | null} even The same under a temperature of 1, where labels are within labels. The server tells
 *   of those that have none within; the probability of each other one is the sum of theirs, and the logarithm of its
 *   share of its parent is its similarity, but for what all of its siblings have in common.
 * @returns {Leaf[]}
 */
export function leavesOf(labels, even) {
  const pathOf = (/** @type {LabelScore} */ one) => one.path ?? [one.label];
  const key = (/** @type {string[]} */ path) => JSON.stringify(path);
  /** @type {Map<string, number>} */
  const sums = new Map();
  /** Families with a member that has labels within: similarities of leaves alone cannot be compared in them. */
  const mixed = new Set();
  for (const one of even ?? []) {
    pathOf(one).forEach((_, depth, path) => {
      const part = key(path.slice(0, depth + 1));
      sums.set(part, (sums.get(part) ?? 0) + one.probability);
      if (depth + 1 < path.length) mixed.add(key(path.slice(0, depth)));
    });
  }
  return labels.map((one) => {
    const path = pathOf(one);
    const scores = path.map((_, depth) => {
      const parent = key(path.slice(0, depth));
      if (!mixed.has(parent)) return one.similarity;
      const share = (sums.get(key(path.slice(0, depth + 1))) ?? 0) / (depth ? (sums.get(parent) ?? 1) : 1);
      return Math.log(Math.max(share, 1e-9));
    });
    return { path, similarity: one.similarity, scores };
  });
}

/**
 * @param {Leaf[]} leaves
 * @param {number} temperature
 * @param {number | null} threshold Where several may be right: each has a probability of its own, a half at the threshold.
 * @returns {number[]}
 */
export function probabilities(leaves, temperature, threshold) {
  if (threshold !== null) return leaves.map(({ similarity }) => 1 / (1 + Math.exp((threshold - similarity) / temperature)));
  /** The similarities of each family's members. @type {Map<string, Map<string, number>>} */
  const families = new Map();
  for (const leaf of leaves) {
    leaf.path.forEach((name, depth) => {
      const key = JSON.stringify(leaf.path.slice(0, depth));
      const family = families.get(key) ?? new Map();
      families.set(key, family.set(name, leaf.scores[depth]));
    });
  }
  /** @type {Map<string, Map<string, number>>} */
  const shares = new Map([...families].map(([key, family]) => [key, softmax(family, temperature)]));
  return leaves.map(({ path }) =>
    path.reduce((share, name, depth) => share * (shares.get(JSON.stringify(path.slice(0, depth)))?.get(name) ?? 0), 1),
  );
}

/** @param {Map<string, number>} similarities @param {number} temperature */
function softmax(similarities, temperature) {
  const most = Math.max(...similarities.values());
  const exponents = [...similarities].map(([name, one]) => /** @type {[string, number]} */ ([name, Math.exp((one - most) / temperature)]));
  const sum = exponents.reduce((total, [, one]) => total + one, 0);
  return new Map(exponents.map(([name, one]) => [name, one / sum]));
}

/** @param {Leaf[]} leaves @param {number | null} threshold @param {boolean} multi */
export function answerOf(leaves, threshold, multi) {
  const enough = leaves.filter(({ similarity }) => threshold === null || similarity >= threshold);
  if (!enough.length) return [UNKNOWN];
  return (multi && threshold !== null ? enough : leaves.slice(0, 1)).map(({ path }) => path[path.length - 1]);
}
