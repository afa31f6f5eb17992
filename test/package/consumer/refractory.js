/** Spikes of a neuron that rests for two steps after each of its own, an option that is compiled. */
export const spikesOf = (LIF, tensor) => {
  const current = tensor([[[2]], [[2]], [[2]], [[2]]]);
  return [...new LIF({ refractorySteps: 2 }).forward(current).toFloat32Array()];
};
