import type { ModelFile } from '@model-rtc/formats/layouts';
import { arrayReader } from '../bytes/readers.ts';

/** A file of a model that is nowhere but in memory. */
export function memoryFile(path: string, content: string | Uint8Array): ModelFile {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  return {
    ...arrayReader(bytes),
    path,
    location: `memory:${path}`,
    modifiedAtMs: undefined,
    readStart: async (maxBytes) => bytes.slice(0, maxBytes),
  };
}
