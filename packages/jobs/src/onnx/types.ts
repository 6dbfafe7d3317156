/** The element types of tensors that both numpy's files and ONNX Runtime have, by ONNX Runtime's names. */
export type Dtype =
  | 'bool'
  | 'int8'
  | 'uint8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'uint64'
  | 'float16'
  | 'float32'
  | 'float64';

/** The numbers of a tensor. Those of `bool` are 0 and 1; those of `float16` are its bits. */
export type Numbers =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array;

/** In C order: the last axis changes fastest. */
export interface Tensor {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly data: Numbers;
}

/** An axis of a model's input or output: its size, or its name or -1 when any size will do. */
export type Axis = number | string;

/** An input or output of a model. */
export interface Port {
  readonly name: string;
  /** Undefined for what is no tensor of numbers, such as a map or texts. */
  readonly dtype: Dtype | undefined;
  /** As the model says it, for messages: `string`, `map`. */
  readonly typeName: string;
  /** Undefined when the model does not say. */
  readonly shape: readonly Axis[] | undefined;
}

/** What a person reads when a run cannot be done: the whole message, with what to do. */
export class OnnxRunError extends Error {
  override readonly name = 'OnnxRunError';
}
