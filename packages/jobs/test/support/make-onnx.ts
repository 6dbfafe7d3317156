import { writeFile } from 'node:fs/promises';

/** A small model for tests, written field by field. Source: onnx/onnx.proto */
export interface MadeModel {
  readonly inputs: readonly MadePort[];
  readonly outputs: readonly MadePort[];
  readonly nodes: readonly {
    readonly op: string;
    readonly inputs: readonly string[];
    readonly outputs: readonly string[];
  }[];
  readonly tensors?: readonly MadeTensor[];
}

export interface MadePort {
  readonly name: string;
  readonly type: keyof typeof ELEMENT_TYPES;
  /** A text is an axis of any size. */
  readonly shape: readonly (number | string)[];
}

export interface MadeTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: readonly number[];
  /** The file that has its numbers, in place of the model. */
  readonly location?: string;
}

const ELEMENT_TYPES = {
  float32: 1,
  uint8: 2,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
} as const;
const IR_VERSION = 8;
const OPSET = 13;

export async function writeOnnx(path: string, model: MadeModel): Promise<void> {
  await writeFile(path, onnxBytes(model));
}

function onnxBytes({ inputs, outputs, nodes, tensors = [] }: MadeModel): Buffer {
  const graph = Buffer.concat([
    ...nodes.map(({ op, ...ends }) =>
      bytes(1, [
        ...ends.inputs.map((name) => text(1, name)),
        ...ends.outputs.map((name) => text(2, name)),
        text(4, op),
      ]),
    ),
    text(2, 'made'),
    ...tensors.map(tensorField),
    ...inputs.map((port) => bytes(11, portFields(port))),
    ...outputs.map((port) => bytes(12, portFields(port))),
  ]);
  return Buffer.concat([number(1, IR_VERSION), bytes(7, [graph]), bytes(8, [text(1, ''), number(2, OPSET)])]);
}

function portFields({ name, type, shape }: MadePort): Buffer[] {
  const axes = shape.map((axis) => bytes(1, [typeof axis === 'number' ? number(1, axis) : text(2, axis)]));
  return [text(1, name), bytes(2, [bytes(1, [number(1, ELEMENT_TYPES[type]), bytes(2, axes)])])];
}

function tensorField({ name, shape, values, location }: MadeTensor): Buffer {
  const head = [...shape.map((size) => number(1, size)), number(2, ELEMENT_TYPES.float32), text(8, name)];
  const raw = Buffer.from(new Float32Array(values).buffer);
  const data =
    location === undefined ? [bytes(9, [raw])] : [bytes(13, [text(1, 'location'), text(2, location)]), number(14, 1)];
  return bytes(5, [...head, ...data]);
}

function number(field: number, value: number): Buffer {
  return Buffer.concat([varint(field << 3), varint(value)]);
}

function text(field: number, value: string): Buffer {
  return bytes(field, [Buffer.from(value)]);
}

function bytes(field: number, parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([varint((field << 3) | 2), varint(content.length), content]);
}

function varint(value: number): Buffer {
  const parts: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...parts, rest]);
    parts.push((rest % 128) | 128);
  }
}
