/** An op of your own for nano. */
import { kernels as k } from "jarvis-snn/kernels";
import { gradOf, Tensor, tape } from "./nano.ts";

/** z = x·y, number by number     ∂x += ∂z·y     ∂y += ∂z·x.     Shapes: x, y, z alike. */
export function mul(x: Tensor, y: Tensor): Tensor {
  const z = new Tensor(x.shape);
  k.mul(z.ptr, x.ptr, y.ptr, z.size, 0);
  tape?.push(() => {
    k.mulGrad(gradOf(x), gradOf(z), y.ptr, z.size, 0);
    k.mulGrad(gradOf(y), gradOf(z), x.ptr, z.size, 0);
  });
  return z;
}
