import { SUBTRACT, ZERO } from "../kinds.ts";
import { packStream } from "./bits.ts";
import { at, put } from "./memory.ts";
import { surrogateDerivative } from "./surrogate.ts";

/** p[i], or 0 where the array is absent. */
const or0 = (p: number, i: number): number => (p === 0 ? 0 : at(p, i));

const fires = (x: number, theta: number, strict: number): boolean => (strict !== 0 ? x > theta : x >= theta);

/** Whether a state is reset before the next step; `left` steps of holding are left. */
function resetDue(v: number, theta: number, strict: number, left: number, hold: number, delayed: number): boolean {
  return fires(v, theta, strict) && (left === hold || (delayed !== 0 && left === 0));
}

export function lifForward(
  u: number,
  s: number,
  current: number,
  v0: number,
  beta: number,
  threshold: number,
  T: number,
  rows: number,
  n: number,
  stepU: number,
  stepCurrent: number,
  stepBeta: number,
  stepThreshold: number,
  reset: number,
  delayed: number,
  strict: number,
  resetValue: number,
  resumed: number,
): void {
  const size = rows * n;
  const fired: boolean[] = [];
  for (let i = 0; i < size; i++) {
    const b = at(beta, (i % n) * stepBeta);
    const theta = at(threshold, (i % n) * stepThreshold);
    let v = or0(v0, i);
    for (let t = 0; t < T; t++) {
      const due = (t > 0 || delayed !== 0 || resumed !== 0) && fires(v, theta, strict);
      if (due && reset === ZERO) v = resetValue;
      if (due && reset === SUBTRACT && delayed === 0) v -= theta;
      v = b * v + at(current, t * stepCurrent + i);
      if (due && reset === SUBTRACT && delayed !== 0) v -= theta;
      put(u, t * stepU + i, v);
      fired[t * size + i] = fires(v, theta, strict);
    }
  }
  packStream(s, T * size, (i) => fired[i] as boolean);
}

export function lifForwardAny(
  u: number,
  s: number,
  r: number,
  current: number,
  v0: number,
  r0: number,
  beta: number,
  threshold: number,
  T: number,
  rows: number,
  n: number,
  stepCurrent: number,
  stepBeta: number,
  stepThreshold: number,
  reset: number,
  delayed: number,
  strict: number,
  resetValue: number,
  rest: number,
  scale: number,
  hold: number,
  resumed: number,
): void {
  const size = rows * n;
  for (let i = 0; i < size; i++) {
    const b = at(beta, (i % n) * stepBeta);
    const theta = at(threshold, (i % n) * stepThreshold);
    let v = or0(v0, i);
    let left = or0(r0, i);
    let mayReset = delayed !== 0 || resumed !== 0;
    for (let t = 0; t < T; t++) {
      const due = mayReset && resetDue(v, theta, strict, left, hold, delayed);
      if (due && reset === ZERO) v = resetValue;
      if (due && reset === SUBTRACT && delayed === 0) v -= theta;
      let x = left > 0 ? v : rest + b * (v - rest) + scale * at(current, t * stepCurrent + i);
      if (due && reset === SUBTRACT && delayed !== 0) x -= theta;
      const spike = left === 0 && fires(x, theta, strict);
      put(u, t * size + i, x);
      put(s, t * size + i, spike ? 1 : 0);
      left = spike ? hold : Math.max(left - 1, 0);
      put(r, t * size + i, left);
      v = x;
      mayReset = true;
    }
  }
}

export function lifState(
  v: number,
  u: number,
  s: number,
  threshold: number,
  rows: number,
  n: number,
  stepThreshold: number,
  reset: number,
  resetValue: number,
): void {
  for (let i = 0; i < rows * n; i++) {
    const x = at(u, i);
    const fired = at(s, i) !== 0;
    const after = reset === SUBTRACT ? x - at(threshold, (i % n) * stepThreshold) : reset === ZERO ? resetValue : x;
    put(v, i, fired ? after : x);
  }
}

export function lifBackward(
  du: number,
  ds: number,
  u: number,
  v0: number,
  beta: number,
  threshold: number,
  carry: number,
  total: number,
  custom: number,
  dBeta: number,
  T: number,
  rows: number,
  n: number,
  stepDu: number,
  stepDs: number,
  stepU: number,
  stepBeta: number,
  stepThreshold: number,
  reset: number,
  delayed: number,
  strict: number,
  resetValue: number,
  kind: number,
  slope: number,
): void {
  const size = rows * n;
  for (let i = 0; i < size; i++) {
    const theta = at(threshold, (i % n) * stepThreshold);
    let carried = at(carry, i);
    for (let t = T - 1; t >= 0; t--) {
      const x = at(u, t * stepU + i);
      const slopes = custom === 0 ? surrogateDerivative(kind, slope, x - theta) : at(custom, t * stepU + i);
      const cut = reset === ZERO && fires(x, theta, strict);
      carried = slopes * at(ds, t * stepDs + i) + (cut ? 0 : at(beta, (i % n) * stepBeta) * carried);
      put(du, t * stepDu + i, carried);
      if (total !== 0) put(total, i, at(total, i) + carried);
      if (dBeta === 0) continue;
      let v = t === 0 ? or0(v0, i) : at(u, (t - 1) * stepU + i);
      if ((t > 0 || delayed !== 0) && fires(v, theta, strict)) {
        if (reset === ZERO) v = resetValue;
        if (reset === SUBTRACT && delayed === 0) v -= theta;
      }
      put(dBeta, i, at(dBeta, i) + carried * v);
    }
  }
}

export function lifBackwardAny(
  g: number,
  u: number,
  r: number,
  v0: number,
  r0: number,
  beta: number,
  threshold: number,
  carry: number,
  total: number,
  custom: number,
  dm: number,
  dv: number,
  dBeta: number,
  dThreshold: number,
  dv0: number,
  T: number,
  rows: number,
  n: number,
  stepBeta: number,
  stepThreshold: number,
  reset: number,
  delayed: number,
  strict: number,
  resetValue: number,
  rest: number,
  scale: number,
  hold: number,
  attached: number,
  kind: number,
  slope: number,
  resumed: number,
): void {
  const size = rows * n;
  const add = (p: number, i: number, value: number): void => {
    if (p !== 0) put(p, i, at(p, i) + value);
  };
  for (let i = 0; i < size; i++) {
    const b = at(beta, (i % n) * stepBeta);
    const theta = at(threshold, (i % n) * stepThreshold);
    const derivative = (x: number, t: number): number =>
      custom === 0 ? surrogateDerivative(kind, slope, x - theta) : at(custom, t * size + i);
    /** u[t], or v0 before the first step. */
    const state = (t: number): number => (t < 0 ? or0(v0, i) : at(u, t * size + i));
    const held = (t: number): number => (t < 0 ? or0(r0, i) : or0(r, t * size + i));
    /** Whether the state after step t is reset before the next one; that before the first step only where resets are late. */
    const isReset = (t: number): boolean =>
      (t >= 0 || delayed !== 0 || resumed !== 0) && resetDue(state(t), theta, strict, held(t), hold, delayed);

    /** Gradient that the state after step t passes on to u[t], given the gradient `next` of u[t + 1]. */
    const throughState = (t: number, next: number, outer: number): number => {
      const decayed = (held(t) === 0 ? b : 1) * next;
      const through = delayed === 0 ? decayed + outer : decayed;
      const subtracted = delayed === 0 ? through : next;
      const judged = delayed === 0 ? t >= 0 && held(t - 1) === 0 : held(t) === 0 || held(t) === hold;
      let reached = reset === ZERO && isReset(t) ? 0 : through;
      if (attached !== 0 && judged) {
        const jump = reset === SUBTRACT ? -theta * subtracted : reset === ZERO ? (resetValue - state(t)) * through : 0;
        reached += derivative(state(t), t) * jump;
        add(dThreshold, i, -derivative(state(t), t) * jump);
      }
      if (reset === SUBTRACT && isReset(t)) add(dThreshold, i, -subtracted);
      return delayed === 0 ? reached : reached + outer;
    };

    let du = at(carry, i);
    for (let t = T - 1; t >= 0; t--) {
      const active = held(t - 1) === 0;
      const spike = active ? derivative(state(t), t) * at(g, t * size + i) : 0;
      add(dThreshold, i, -spike);
      du = spike + throughState(t, du, or0(dv, t * size + i)) + or0(dm, t * size + i);
      const dI = active ? scale * du : 0;
      if (total === 0) put(g, t * size + i, dI);
      else add(total, i, dI);
      if (active) {
        let v = state(t - 1);
        if (isReset(t - 1) && reset === ZERO) v = resetValue;
        if (isReset(t - 1) && reset === SUBTRACT && delayed === 0) v -= theta;
        add(dBeta, i, du * (v - rest));
      }
    }
    put(carry, i, du);
    if (resumed !== 0) continue;
    add(dv0, i, delayed === 0 ? (held(-1) === 0 ? b : 1) * du : throughState(-1, du, 0));
  }
}
