import { type FileHandle, open } from 'node:fs/promises';
import { bytesOf, countOf, dtypeOfNpy, makeNumbers, numbersIn, shapeText } from './dtypes.ts';
import { MAX_AXES, MAX_NPY_HEADER_BYTES, MAX_TENSOR_BYTES } from './limits.ts';
import { type Dtype, type Numbers, OnnxRunError, type Tensor } from './types.ts';

const MAGIC = Buffer.from('\x93NUMPY', 'latin1');
/** Magic, version, and the header's length in 2 bytes, or in 4 from version 2 on. */
const SHORT_START = 10;
const LONG_START = 12;

interface Header {
  readonly dtype: Dtype;
  readonly isBigEndian: boolean;
  readonly isFortran: boolean;
  readonly shape: readonly number[];
  /** Where the numbers begin. */
  readonly start: number;
}

/**
 * Reads the array in a file of numpy's format. Source: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 * @throws OnnxRunError when it is no such file, its numbers are none that a model takes, or they are not all there
 */
export async function readNpy(path: string, name: string): Promise<Tensor> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const header = await readHeader(file, name);
    const bytes = countOf(header.shape) * bytesOf(header.dtype);
    assertSize(name, header, bytes, size - header.start);
    const buffer = new ArrayBuffer(bytes);
    await readAll(file, new Uint8Array(buffer), header.start, name);
    if (header.isBigEndian) swapBytes(buffer, bytesOf(header.dtype));
    const data = numbersIn(header.dtype, buffer);
    const { dtype, shape, isFortran } = header;
    return { dtype, shape, data: isFortran ? toCOrder(data, dtype, shape) : data };
  } finally {
    await file.close();
  }
}

async function readHeader(file: FileHandle, name: string): Promise<Header> {
  const start = Buffer.alloc(LONG_START);
  const { bytesRead } = await file.read(start, 0, LONG_START, 0);
  if (bytesRead < SHORT_START || !start.subarray(0, MAGIC.length).equals(MAGIC))
    throw new OnnxRunError(`${name} is no .npy file. Save it with numpy.save.`);
  const major = start[MAGIC.length] as number;
  if (major < 1 || major > 3)
    throw new OnnxRunError(
      `${name} has version ${major} of numpy's format. Save it with numpy.save in version 1 to 3.`,
    );
  const isLong = major > 1;
  const at = isLong ? LONG_START : SHORT_START;
  const length = isLong ? start.readUInt32LE(8) : start.readUInt16LE(8);
  if (length > MAX_NPY_HEADER_BYTES)
    throw new OnnxRunError(`${name} has a header of ${length} bytes; at most ${MAX_NPY_HEADER_BYTES} are read.`);
  const text = Buffer.alloc(length);
  await readAll(file, text, at, name);
  return { ...parseHeader(text.toString(major === 3 ? 'utf8' : 'latin1'), name), start: at + length };
}

async function readAll(file: FileHandle, into: Uint8Array, position: number, name: string): Promise<void> {
  for (let done = 0; done < into.length; ) {
    const { bytesRead } = await file.read(into, done, into.length - done, position + done);
    if (bytesRead === 0) throw new OnnxRunError(`${name} is cut off: send it again.`);
    done += bytesRead;
  }
}

/** One entry of the dictionary that a header is, and the comma behind it. */
const ENTRY = /\s*(?:'(\w{1,32})'|"(\w{1,32})")\s*:\s*('[^']*'|"[^"]*"|True|False|\([^()]*\)|\[)\s*(,?)/y;

function parseHeader(text: string, name: string): Omit<Header, 'start'> {
  const broken = new OnnxRunError(`${name} has a header that cannot be read. Save it again with numpy.save.`);
  const inside = /^\{(.*)\}\s*$/s.exec(text)?.[1];
  if (inside === undefined) throw broken;
  const entries = new Map<string, string>();
  for (ENTRY.lastIndex = 0; inside.slice(ENTRY.lastIndex).trim() !== ''; ) {
    const [, single, double, value] = ENTRY.exec(inside) ?? [];
    const key = single ?? double;
    if (key === undefined || value === undefined || entries.has(key)) throw broken;
    if (value === '[') throw typeError(name, 'fields with names');
    entries.set(key, value);
  }
  const [descr, order, shape] = ['descr', 'fortran_order', 'shape'].map((key) => entries.get(key));
  if (descr === undefined || shape === undefined || (order !== 'True' && order !== 'False')) throw broken;
  return { ...parseType(descr.slice(1, -1), name), isFortran: order === 'True', shape: parseShape(shape, name) };
}

function parseType(descr: string, name: string): Pick<Header, 'dtype' | 'isBigEndian'> {
  const [, order, code = ''] = /^([<>|=])(\w+)$/.exec(descr) ?? [];
  const dtype = dtypeOfNpy(code);
  if (dtype === undefined) throw typeError(name, descr);
  return { dtype, isBigEndian: order === '>' };
}

function typeError(name: string, type: string): OnnxRunError {
  const what = JSON.stringify(type.slice(0, 64));
  return new OnnxRunError(
    `${name} has elements of type ${what}, which no model takes. Convert it, for example with .astype('float32').`,
  );
}

function parseShape(text: string, name: string): readonly number[] {
  const parts = text
    .slice(1, -1)
    .split(',')
    .map((part) => part.trim());
  if (parts.at(-1) === '') parts.pop();
  const shape = parts.map((part) => (/^\d{1,16}L?$/.test(part) ? Number.parseInt(part, 10) : Number.NaN));
  if (shape.length > MAX_AXES || shape.some((size) => !Number.isSafeInteger(size)))
    throw new OnnxRunError(`${name} has a shape that cannot be read. Save it again with numpy.save.`);
  return shape;
}

function assertSize(name: string, { shape }: Header, bytes: number, there: number): void {
  if (!Number.isSafeInteger(bytes) || bytes > MAX_TENSOR_BYTES)
    throw new OnnxRunError(
      `${name} claims a shape of ${shapeText(shape)}; one file may have at most 2 GiB. Split it into several files.`,
    );
  if (there === bytes) return;
  const relation = there < bytes ? 'is cut off' : 'has more than one array';
  throw new OnnxRunError(
    `${name} ${relation}: ${shapeText(shape)} takes ${bytes} bytes, and ${there} are there. Save it again with numpy.save.`,
  );
}

function swapBytes(buffer: ArrayBuffer, width: number): void {
  const bytes = Buffer.from(buffer);
  if (width === 2) bytes.swap16();
  if (width === 4) bytes.swap32();
  if (width === 8) bytes.swap64();
}

/** From Fortran's order, in which the first axis changes fastest. */
function toCOrder(data: Numbers, dtype: Dtype, shape: readonly number[]): Numbers {
  const result = makeNumbers(dtype, data.length);
  const index = shape.map(() => 0);
  const steps = shape.map((_, axis) => countOf(shape.slice(0, axis)));
  let from = 0;
  for (let to = 0; to < data.length; to++) {
    result[to] = data[from] as never;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const [step, size] = [steps[axis] as number, shape[axis] as number];
      const next = (index[axis] as number) + 1;
      index[axis] = next < size ? next : 0;
      from += next < size ? step : -step * (size - 1);
      if (next < size) break;
    }
  }
  return result;
}
