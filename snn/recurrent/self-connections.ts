/** Recurrent weights without self-connections. */
import { k, type Op, passGradient, recycle } from "../../engine/extend.ts";
import { type Linear, noGrad, type Tensor } from "../../engine/index.ts";
import { setReading } from "../../engine/protocol.ts";
import { allocateInScope, applyOp, SAVES } from "../../engine/unchecked.ts";

/** z = w with zeros on the diagonal.  ∂L/∂w = ∂L/∂z with zeros on the diagonal. */
const offDiagonalOp: Op<null> = {
  name: "selfConnections",
  saves: SAVES.nothing,
  forward(z, w) {
    k.copy(z.ptr, w.ptr, w.size);
    clearDiagonal(z.ptr, w);
  },
  backward(z, w) {
    clearDiagonal(z.gradPtr, w);
    passGradient(z, w);
  },
};

/** Sets the diagonal of values in the shape of w, [N, N], to 0. */
function clearDiagonal(p: number, { sizes: [n] }: Tensor): void {
  const zero = allocateInScope(4);
  k.fill(zero, 1, 0);
  k.copyBlocks(p, zero, n as number, 1, (n as number) + 1, 0);
  recycle(zero, 4);
}

const offDiagonal = (w: Tensor): Tensor => applyOp(offDiagonalOp, null, w);

/** Sets the diagonal of a layer's weight [N, N] to 0 and masks it, so that gradients and loaded states do not change it. */
export function withoutSelfConnections(layer: Linear): void {
  const { weight, inFeatures: n } = layer;
  noGrad(() => void weight.copyFrom(offDiagonal(weight)));
  const adjust = (values: Float32Array): boolean => {
    let changed = false;
    for (let i = 0; i < n * n; i += n + 1) {
      changed ||= values[i] !== 0;
      values[i] = 0;
    }
    return changed;
  };
  setReading(
    layer,
    "connections",
    Object.assign((w: Tensor) => offDiagonal(w), { adjust }),
  );
}
