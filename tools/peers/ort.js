// SPDX-License-Identifier: Apache-2.0
// ONNX Runtime, timed: node ort.js MODEL.onnx image|text77|text THREADS SECONDS; prints samples a second, the best
// repetition. `text`: 256 captions of mean 12 rows sorted by length, batches of 32 as long as their longest.
const ort = require('onnxruntime-node');

const [model, kind, threads, seconds] = process.argv.slice(2);
let seed = 1;
const random = () => (seed = (seed * 1103515245 + 12345) % 2147483648) / 2147483648;

function captions(lengths) {
  const rows = Math.max(...lengths), ids = new BigInt64Array(lengths.length * rows);
  lengths.forEach((n, i) => {
    for (let k = 0; k < n; k++) ids[i * rows + k] = BigInt(1 + Math.floor(random() * 49000));
    ids[i * rows + n - 1] = 49407n;
  });
  return new ort.Tensor('int64', ids, [lengths.length, rows]);
}

function batches() {
  if (kind === 'image') {
    const pixels = Float32Array.from({length: 32 * 3 * 224 * 224}, () => random() * 4 - 2);
    return [new ort.Tensor('float32', pixels, [32, 3, 224, 224])];
  }
  if (kind === 'text77')
    return [captions(Array(64).fill(77))];
  const all = Array.from({length: 256}, (_, i) => 5 + Math.round(25 * ((i + .5) / 256) ** 2.571)), out = [];
  for (let i = 0; i < all.length; i += 32) out.push(captions(all.slice(i, i + 32)));
  return out;
}

(async () => {
  const session = await ort.InferenceSession.create(model, {
    executionProviders: ['cpu'], intraOpNumThreads: Number(threads), interOpNumThreads: 1,
    graphOptimizationLevel: 'all', executionMode: 'sequential'});
  const feeds = batches(), samples = feeds.reduce((n, t) => n + t.dims[0], 0);
  let best = Infinity, end = Infinity;
  for (let reps = 0; reps < 3 || performance.now() < end; reps++) {
    const start = performance.now();
    for (const x of feeds) await session.run({x});
    if (reps === 0) end = performance.now() + 1000 * seconds;   // the first warms up
    else best = Math.min(best, performance.now() - start);
  }
  console.log(samples / best * 1000);
})();
