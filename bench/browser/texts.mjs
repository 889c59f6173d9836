// Texts of an exact length: words that are one token each in BERT's uncased vocabulary, and the two special tokens.
const WORDS = `the old man walked along the river and thought about his daughter who had left the town many years before he was not angry any more
but there was a quiet fear in him that she would never come home again when the evening light fell on the water he felt a strange joy as if
someone had opened a window in a dark room and let the warm air of summer in`.split(/\s+/);

/** `count` different texts of `tokens` tokens each. */
export function textsOf(count, tokens) {
  const word = (place) => WORDS[place % WORDS.length];
  return Array.from({ length: count }, (_, row) => Array.from({ length: tokens - 2 }, (_, at) => word(row * 11 + at)).join(" "));
}

/** Asks a side of ours how long the texts are, and fails if they are not `tokens` long. */
export async function assertLength(side, texts, tokens) {
  const { answer } = await side.ask({ type: "tokenize", texts });
  const wrong = answer.input_ids.find((ids) => ids.length !== tokens);
  if (wrong) throw new Error(`a text has ${wrong.length} tokens instead of ${tokens}`);
}
