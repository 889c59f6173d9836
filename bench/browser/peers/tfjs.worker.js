// TensorFlow.js behind our engines' protocol. A classic worker: its backends are scripts that expect a global `tf`.
importScripts("/npm/@tensorflow/tfjs/dist/tf.min.js");
importScripts("/npm/@tensorflow/tfjs-backend-wasm/dist/tf-backend-wasm.min.js");
importScripts("/npm/@tensorflow/tfjs-backend-webgpu/dist/tf-backend-webgpu.min.js");

let model;
let tokenizer;
let training;

/** `options`: `backend`, and those of `Bert`. */
async function open({ name, options }) {
  const { Tokenizer } = await import("/npm/@huggingface/tokenizers/dist/tokenizers.min.mjs");
  const [{ parse }, { Bert }] = await Promise.all([import("/peers/safetensors.js"), import("/peers/tfjs-bert.js")]);
  tf.wasm.setWasmPaths("/npm/@tensorflow/tfjs-backend-wasm/dist/");
  if (!(await tf.setBackend(options.backend))) throw new Error(`the backend ${options.backend} did not start`);
  await tf.ready();
  const json = async (file) => (await fetch(`${name}/${file}`)).json();
  tokenizer = new Tokenizer(await json("tokenizer.json"), await json("tokenizer_config.json"));
  const weights = parse(await (await fetch(`${name}/model.safetensors`)).arrayBuffer());
  model = new Bert(tf, await json("config.json"), weights, options);
  return { type: "opened" };
}

const encode = (texts) => texts.map((text) => tokenizer.encode(text).ids);

async function classify({ texts }) {
  const { predictions } = await import("/peers/serve.js");
  const logits = tf.tidy(() => model.forward(encode(texts), false));
  const values = await logits.data();
  logits.dispose();
  return predictions(values, logits.shape[1]);
}

/** All texts are one batch. */
async function train_start({ texts, labels, config }) {
  const oneHot = tf.tidy(() => tf.oneHot(tf.tensor1d(labels, "int32"), model.variables["classifier.bias"].shape[0]).toFloat());
  training = { ids: encode(texts), oneHot, optimizer: tf.train.adam(config.learning_rate) };
  return { type: "train_started" };
}

/** Mean loss of `count` steps, read at their end. */
async function train_steps({ count }) {
  const { ids, oneHot, optimizer } = training;
  const losses = [];
  for (let step = 0; step < count; step += 1) losses.push(optimizer.minimize(() => model.loss(ids, oneHot), true));
  const sum = tf.tidy(() => tf.addN(losses).div(count));
  const [loss] = await sum.data();
  tf.dispose([sum, losses]);
  return { type: "trained", loss };
}

import("/peers/serve.js").then(({ serve }) => serve({ open, classify, train_start, train_steps }));
