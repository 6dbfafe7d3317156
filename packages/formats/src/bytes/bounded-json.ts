import { StructureError } from './structure-error.ts';

export interface JsonLimits {
  readonly maxNesting: number;
  /** Arrays and objects in total. */
  readonly maxContainers: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * The value of a JSON text in UTF-8. Its nesting and its arrays and objects are counted before it is parsed: a parser takes
 * more than a hundred times the text's length for arrays within arrays.
 * @throws StructureError when it is no JSON or exceeds a limit
 */
export function parseBoundedJson(bytes: Uint8Array, limits: JsonLimits): unknown {
  checkShape(bytes, limits);
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new StructureError('the header is not JSON', { cause });
  }
}

function checkShape(bytes: Uint8Array, { maxNesting, maxContainers }: JsonLimits): void {
  let nesting = 0;
  let containers = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) at = endOfText(bytes, at + 1);
    else if (byte === 0x5b || byte === 0x7b) {
      if (++nesting > maxNesting) throw new StructureError('the header is nested too deeply');
      if (++containers > maxContainers) throw new StructureError('the header holds too many lists');
    } else if (byte === 0x5d || byte === 0x7d) nesting--;
  }
}

/** Where the quote that ends a text is, or the end of the bytes. */
function endOfText(bytes: Uint8Array, start: number): number {
  for (let at = start; at < bytes.length; at++) {
    if (bytes[at] === BACKSLASH) at++;
    else if (bytes[at] === QUOTE) return at;
  }
  return bytes.length;
}
