/**
 * The small network without a library: typed arrays, plain loops and gradients worked out by hand, as one would write it
 * to be fast. A sample goes forward and backward before the next, so that its history stays in the cache; zeros of the input
 * and silent neurons are skipped.
 *
 *   u[t] = β·u[t−1] + W·x[t] + b − s[t−1]     s[t] = 1 if u[t] > 1 else 0     two layers of these
 *   loss = cross-entropy of the mean of the last spikes; ds/du = 1 / (1 + (π(u − 1))²); the reset has no gradient
 */

const ADAM = { lr: 1e-3, beta1: 0.9, beta2: 0.999, eps: 1e-8 };

/** out ← bias + the rows of weight [inputs, n] at which x has a spike */
function addRows(out, bias, weight, x, xAt, inputs) {
  const n = out.length;
  for (let j = 0; j < n; j++) out[j] = bias[j];
  for (let i = 0; i < inputs; i++) {
    if (x[xAt + i] === 0) continue;
    const at = i * n;
    for (let j = 0; j < n; j++) out[j] += weight[at + j];
  }
}

/** The rows of dWeight [inputs, n] at which x has a spike += d;  dBias += d */
function addRowGradients(dWeight, dBias, d, x, xAt, inputs) {
  const n = d.length;
  for (let j = 0; j < n; j++) dBias[j] += d[j];
  for (let i = 0; i < inputs; i++) {
    if (x[xAt + i] === 0) continue;
    const at = i * n;
    for (let j = 0; j < n; j++) dWeight[at + j] += d[j];
  }
}

/** One step of neurons: u and s at `at` from those at `before`, which is negative in the first step. */
function fire(u, s, at, before, current, beta) {
  const n = current.length;
  for (let j = 0; j < n; j++) {
    const membrane = before < 0 ? current[j] : beta * u[before + j] + current[j] - s[before + j];
    u[at + j] = membrane;
    s[at + j] = membrane > 1 ? 1 : 0;
  }
}

/** du ← β·du + ds / (1 + (π(u − 1))²) */
function fireGradient(du, ds, u, at, beta) {
  const n = du.length;
  for (let j = 0; j < n; j++) {
    const distance = Math.PI * (u[at + j] - 1);
    du[j] = beta * du[j] + ds[j] / (1 + distance * distance);
  }
}

export class SmallNetwork {
  /** Trains weights w1, b1, w2, b2 (Float32Arrays, layers as [inputs, outputs]). x: spikes [T, B, inputs]; y: B classes. */
  constructor({ sizes: [inputs, hidden, outputs], T, beta, weights: { w1, b1, w2, b2 }, x, y }) {
    Object.assign(this, { inputs, hidden, outputs, T, beta, x, y });
    const zeros = (n) => new Float32Array(n);
    this.parameters = [w1, b1, w2, b2];
    [this.gradients, this.means, this.squares] = [0, 1, 2].map(() => this.parameters.map((p) => zeros(p.length)));
    this.steps = 0;
    // The history of one sample, [T, N], and rows to work on: in double precision, as V8 then converts less often.
    [this.u1, this.s1, this.u2, this.s2] = [hidden, hidden, outputs, outputs].map((n) => zeros(T * n));
    [this.current1, this.ds1, this.du1] = [0, 1, 2].map(() => new Float64Array(hidden));
    [this.current2, this.ds2, this.du2] = [0, 1, 2].map(() => new Float64Array(outputs));
  }

  /** One step of training; returns the loss before it. */
  step() {
    for (const gradient of this.gradients) gradient.fill(0);
    let loss = 0;
    for (let b = 0; b < this.y.length; b++) {
      this.forward(b);
      loss += this.lossGradient(this.y[b]);
      this.backward(b);
    }
    this.adam();
    return loss / this.y.length;
  }

  forward(b) {
    const { inputs, hidden, outputs, T, beta, x, y, u1, s1, u2, s2, current1, current2 } = this;
    const [w1, b1, w2, b2] = this.parameters;
    for (let t = 0; t < T; t++) {
      addRows(current1, b1, w1, x, (t * y.length + b) * inputs, inputs);
      fire(u1, s1, t * hidden, (t - 1) * hidden, current1, beta);
      addRows(current2, b2, w2, s1, t * hidden, hidden);
      fire(u2, s2, t * outputs, (t - 1) * outputs, current2, beta);
    }
  }

  /** Leaves ∂L/∂s2, the same in all steps, in ds2; returns the loss of the sample. */
  lossGradient(label) {
    const { outputs, T, y, s2, ds2 } = this;
    ds2.fill(0);
    for (let t = 0; t < T; t++) for (let k = 0; k < outputs; k++) ds2[k] += s2[t * outputs + k] / T;
    const logit = ds2[label];
    let sum = 0;
    for (let k = 0; k < outputs; k++) sum += Math.exp(ds2[k]);
    for (let k = 0; k < outputs; k++) ds2[k] = (Math.exp(ds2[k]) / sum - (k === label ? 1 : 0)) / (T * y.length);
    return Math.log(sum) - logit;
  }

  backward(b) {
    const { inputs, hidden, outputs, T, beta, x, y, u1, s1, u2, ds1, du1, ds2, du2 } = this;
    const [, , w2] = this.parameters;
    const [dw1, db1, dw2, db2] = this.gradients;
    du1.fill(0);
    du2.fill(0);
    for (let t = T - 1; t >= 0; t--) {
      fireGradient(du2, ds2, u2, t * outputs, beta);
      addRowGradients(dw2, db2, du2, s1, t * hidden, hidden);
      for (let i = 0; i < hidden; i++) {
        let sum = 0;
        for (let k = 0; k < outputs; k++) sum += w2[i * outputs + k] * du2[k];
        ds1[i] = sum;
      }
      fireGradient(du1, ds1, u1, t * hidden, beta);
      addRowGradients(dw1, db1, du1, x, (t * y.length + b) * inputs, inputs);
    }
  }

  adam() {
    const { lr, beta1, beta2, eps } = ADAM;
    this.steps++;
    const size = lr / (1 - beta1 ** this.steps);
    const bias = Math.sqrt(1 - beta2 ** this.steps);
    this.parameters.forEach((p, i) => {
      const [g, m, v] = [this.gradients[i], this.means[i], this.squares[i]];
      for (let j = 0; j < p.length; j++) {
        m[j] = beta1 * m[j] + (1 - beta1) * g[j];
        v[j] = beta2 * v[j] + (1 - beta2) * g[j] * g[j];
        p[j] -= (size * m[j]) / (Math.sqrt(v[j]) / bias + eps);
      }
    });
  }
}
