import { Cursor } from '../bytes/cursor.ts';
import { readProtobufField } from '../bytes/protobuf.ts';
import { EndsEarlyError, StructureError } from '../bytes/structure-error.ts';
import type { ByteReader } from '../types.ts';
import { byExtension } from './by-extension.ts';
import { cutOff } from './sizes.ts';
import type { FileCheck } from './types.ts';

/** Fields of the outermost message; a model has some five. */
const MAX_FIELDS = 1000;
/** The kinds of models have the numbers from here on, and a specification has one of them. Source: coremltools, mlmodel/format/Model.proto */
const FIRST_KIND = 200;
const VERSION = 1;
const DESCRIPTION = 2;

/** A specification of Core ML is one message whose parts say how long they are; the model itself is one of them. */
export const wholeMlmodel: FileCheck = {
  matches: byExtension('.mlmodel'),
  async check(reader) {
    try {
      return (await hasModel(reader))
        ? undefined
        : cutOff(reader.size, 'its version, description or the model itself is missing');
    } catch (error) {
      if (error instanceof EndsEarlyError) return cutOff(reader.size, 'its parts go on behind its end');
      throw error;
    }
  },
};

async function hasModel(reader: ByteReader): Promise<boolean> {
  const cursor = new Cursor(reader, 0);
  const there = { version: false, description: false, model: false };
  for (let fields = 0; cursor.left > 0; fields++) {
    if (fields > MAX_FIELDS) throw new StructureError('it has too many parts');
    const field = await readProtobufField(cursor);
    there.version ||= field.number === VERSION && !field.isBytes && field.value > 0;
    if (!field.isBytes) continue;
    if (field.value > cursor.left) throw new EndsEarlyError('a part goes on behind the end');
    cursor.skip(field.value);
    there.description ||= field.number === DESCRIPTION;
    there.model ||= field.number >= FIRST_KIND;
  }
  return Object.values(there).every(Boolean);
}
