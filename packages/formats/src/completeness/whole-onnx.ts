import { EndsEarlyError } from '../bytes/structure-error.ts';
import { readOnnx } from '../onnx/onnx.ts';
import { byExtension } from './by-extension.ts';
import { cutOff } from './sizes.ts';
import type { FileCheck } from './types.ts';

/** An ONNX file is one message whose parts say how long they are, and has a graph and the operators that it is made of. */
export const wholeOnnx: FileCheck = {
  matches: byExtension('.onnx'),
  async check(reader) {
    try {
      const { hasGraph, hasOperators } = await readOnnx(reader, { inside: false });
      if (!hasGraph) return cutOff(reader.size, 'it has no graph');
      return hasOperators ? undefined : cutOff(reader.size, 'what follows its graph is missing');
    } catch (error) {
      if (error instanceof EndsEarlyError) return cutOff(reader.size, 'its parts go on behind its end');
      throw error;
    }
  },
};
