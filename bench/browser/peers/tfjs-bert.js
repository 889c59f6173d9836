// BERT with a classification head in TensorFlow.js, from the weights of a Hugging Face folder.
// Shapes: x is [batch, seq, hidden]; weights of linear layers are [in, out], as TensorFlow keeps them.

export class Bert {
  /** `weights`: key → { shape, values }, linear weights [out, in]; `options`: `dropout` (a probability), `gather` and `matMul` (below). */
  constructor(tf, config, weights, options) {
    this.tf = tf;
    this.config = config;
    this.options = options;
    this.variables = {};
    for (const [key, { shape, values }] of Object.entries(weights)) {
      const linear = shape.length === 2 && !key.includes("embeddings");
      const variable = () => tf.variable(linear ? tf.transpose(tf.tensor(values, shape)) : tf.tensor(values, shape), true, key);
      this.variables[key] = tf.tidy(variable);
    }
  }

  /** Logits [batch, classes] of `ids`, rows of one length without padding. */
  forward(ids, training) {
    const { tf } = this;
    const [rows, seq] = [ids.length, ids[0].length];
    const flat = tf.tensor1d(ids.flat(), "int32");
    const positions = tf.tensor1d([...Array(seq).keys()], "int32");
    const e = "bert.embeddings";
    const tokens = this.gather(`${e}.word_embeddings.weight`, flat).reshape([rows, seq, -1]);
    const places = this.gather(`${e}.position_embeddings.weight`, positions).reshape([1, seq, -1]);
    const types = this.gather(`${e}.token_type_embeddings.weight`, tf.zeros([rows * seq], "int32")).reshape([rows, seq, -1]);
    const drop = (x) => (training && this.options.dropout ? tf.dropout(x, this.options.dropout) : x);
    let x = drop(this.layerNorm(`${e}.LayerNorm`, tokens.add(types).add(places)));
    const bias = tf.zeros([rows, 1, 1, seq]);
    for (let layer = 0; layer < this.config.num_hidden_layers; layer += 1) x = this.layer(`bert.encoder.layer.${layer}`, x, bias, drop);
    const first = x.slice([0, 0, 0], [-1, 1, -1]).reshape([rows, -1]);
    return this.linear("classifier", drop(tf.tanh(this.linear("bert.pooler.dense", first))));
  }

  layer(name, x, bias, drop) {
    const { tf, config } = this;
    const [rows, seq, hidden] = x.shape;
    const size = hidden / config.num_attention_heads;
    const heads = (part) => this.linear(`${name}.attention.self.${part}`, x).reshape([rows, seq, -1, size]).transpose([0, 2, 1, 3]);
    const scores = tf.matMul(heads("query"), heads("key"), false, true).mul(1 / Math.sqrt(size)).add(bias);
    const context = tf.matMul(drop(tf.softmax(scores)), heads("value")).transpose([0, 2, 1, 3]).reshape([rows, seq, hidden]);
    const attended = this.layerNorm(`${name}.attention.output.LayerNorm`, x.add(drop(this.linear(`${name}.attention.output.dense`, context))));
    const inner = gelu(this.linear(`${name}.intermediate.dense`, attended));
    return this.layerNorm(`${name}.output.LayerNorm`, attended.add(drop(this.linear(`${name}.output.dense`, inner))));
  }

  /** x·W + b for x [batch, …, in]. */
  linear(name, x) {
    const weight = this.variables[`${name}.weight`];
    const product = this.matMul(x.reshape([-1, weight.shape[0]]), weight);
    return product.add(this.variables[`${name}.bias`]).reshape([...x.shape.slice(0, -1), weight.shape[1]]);
  }

  /** `matMul: "transposed"`: its gradient transposes first, because the products of flagged transposes miss wasm's quick kernel. */
  matMul(x, weight) {
    const { tf } = this;
    if (this.options.matMul !== "transposed") return tf.matMul(x, weight);
    return tf.customGrad((x, weight, save) => {
      save([x, weight]);
      const gradFunc = (dy, [x, weight]) => [tf.matMul(dy, weight.transpose()), tf.matMul(x.transpose(), dy)];
      return { value: tf.matMul(x, weight), gradFunc };
    })(x, weight);
  }

  /** Rows of a table. `gather: "scatter"`: its gradient through `scatterND`, for a backend without `UnsortedSegmentSum`. */
  gather(key, ids) {
    const { tf } = this;
    if (this.options.gather !== "scatter") return tf.gather(this.variables[key], ids);
    return tf.customGrad((table, save) => {
      save([ids]);
      const gradFunc = (dy, [ids]) => tf.scatterND(ids.expandDims(1), dy, table.shape);
      return { value: tf.gather(table, ids), gradFunc };
    })(this.variables[key]);
  }

  layerNorm(name, x) {
    const { mean, variance } = this.tf.moments(x, -1, true);
    const normal = x.sub(mean).mul(variance.add(this.config.layer_norm_eps).rsqrt());
    return normal.mul(this.variables[`${name}.weight`]).add(this.variables[`${name}.bias`]);
  }

  /** Mean cross-entropy, by softmax and its logarithm: `tf.losses` wants one-hot rows, too. */
  loss(ids, oneHot) {
    const logits = this.forward(ids, true);
    const shifted = logits.sub(logits.max(-1, true));
    return shifted.exp().sum(-1).log().sub(shifted.mul(oneHot).sum(-1)).mean();
  }
}

const gelu = (x) => x.mul(0.5).mul(x.mul(Math.SQRT1_2).erf().add(1));
