// The command `emberlab`, whose answers the page's are held against.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root, temporaryFolder } from "./harness.mjs";

/** Runs `emberlab` and returns its standard output. */
export function emberlab(...words) {
  assert(process.env.EMBERLAB_BIN, "EMBERLAB_BIN must name the built command emberlab");
  return execFileSync(process.env.EMBERLAB_BIN, words, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
}

/** Native predictions on the CPU: { label, probabilities } for each text. */
export function predict(model, texts) {
  const input = join(temporaryFolder(), "texts.jsonl");
  writeJsonLines(input, texts.map((text) => ({ text })));
  const rows = emberlab("predict", "--model", model, "--input", input, "--device", "cpu", "--max-length", "512");
  return parseJsonLines(rows);
}

/** The texts that both sides classify: 50 sentences of emotion and the beginnings of 50 e-mails. */
export function hundredTexts() {
  const texts = (file) => readJsonLines(join(root, file)).slice(0, 50).map(({ text }) => [...text].slice(0, 300).join("").trim());
  return [...texts("data/emotions/test.jsonl"), ...texts("data/spam/test.jsonl")];
}

/** Asserts the same labels, and probabilities within 1e-3; returns the largest difference. What a list `shown` has two digits. */
export function assertAgreement(expected, found, { shown = false } = {}) {
  assert.equal(found.length, expected.length);
  const distances = expected.map(({ text, probabilities }, index) => {
    assert.deepEqual(Object.keys(found[index]).sort(), Object.keys(probabilities).sort());
    const lead = probabilities[highest(probabilities)] - probabilities[highest(found[index])];
    assert(lead <= (shown ? 1e-4 : 0), `the label of "${text}" is ${highest(found[index])}, but ${highest(probabilities)} natively`);
    const distance = Math.max(...Object.entries(probabilities).map(([label, value]) => Math.abs(value - found[index][label])));
    assert(distance <= 1e-3, `a probability of "${text}" is ${distance} off`);
    return distance;
  });
  return Math.max(...distances);
}

/** The label with the highest probability. */
export const highest = (probabilities) => Object.entries(probabilities).reduce((most, next) => (next[1] > most[1] ? next : most))[0];

export const readJsonLines = (file) => parseJsonLines(readFileSync(file, "utf8"));
export const writeJsonLines = (file, rows) => writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
const parseJsonLines = (text) => text.split("\n").filter(Boolean).map((line) => JSON.parse(line));
