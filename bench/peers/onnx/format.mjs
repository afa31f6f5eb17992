/** Writes models in the ONNX format: protocol buffers, of which only the fields that a plain graph of tensors needs. */

const FLOAT = 1;
const OPSET = 17;
const IR_VERSION = 8;

function varint(value) {
  const bytes = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) + 128);
  }
}

const number = (field, value) => Buffer.concat([varint(8 * field), varint(value)]);
const bytes = (field, value) => Buffer.concat([varint(8 * field + 2), varint(value.length), value]);
const text = (field, value) => bytes(field, Buffer.from(value));
const message = (field, parts) => bytes(field, Buffer.concat(parts));

/** An operation from tensors to tensors; attributes are integers. */
export function node(operation, inputs, outputs, attributes = {}) {
  const named = Object.entries(attributes).map(([name, value]) =>
    message(5, [text(1, name), number(3, value), number(20, 2)]),
  );
  const ports = [...inputs.map((name) => text(1, name)), ...outputs.map((name) => text(2, name))];
  return message(1, [...ports, text(4, operation), ...named]);
}

export function constant(name, shape, values) {
  const raw = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  return message(5, [...shape.map((n) => number(1, n)), number(2, FLOAT), text(8, name), bytes(9, raw)]);
}

function port(field, name, shape) {
  const dimensions = message(
    2,
    shape.map((n) => message(1, [number(1, n)])),
  );
  return message(field, [text(1, name), message(2, [message(1, [number(1, FLOAT), dimensions])])]);
}

export const input = (name, shape) => port(11, name, shape);
export const output = (name, shape) => port(12, name, shape);

export function model(parts) {
  const opset = message(8, [text(1, ""), number(2, OPSET)]);
  return Buffer.concat([number(1, IR_VERSION), message(7, [...parts, text(2, "graph")]), opset]);
}
