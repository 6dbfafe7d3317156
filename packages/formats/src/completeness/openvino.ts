import { extensionOf } from '../file-names.ts';
import type { ByteReader } from '../types.ts';
import { missing } from './folders.ts';
import { bytesText } from './sizes.ts';
import type { CheckedFile, NamingFile } from './types.ts';

/** The network of a large language model takes some 10 MB of XML. */
const MAX_XML_BYTES = 64 * 1024 * 1024;
const WINDOW_BYTES = 256 * 1024;
/** No tag that is looked for is longer. */
const OVERLAP_BYTES = 4096;
const HEAD_BYTES = 1024;
const NETWORK = /^\uFEFF?\s*(<\?xml[^>]*\?>\s*)?<net[\s>]/;
const PLACE = /\boffset="(\d{1,15})"[^>]*?\bsize="(\d{1,15})"/g;

/** OpenVINO keeps a network in an `.xml` and its weights in a `.bin` of the same name. Source: docs.openvino.ai (IR format). */
export const openvino: NamingFile = {
  matches: (path) => extensionOf(path) === '.xml',
  async check(file, model) {
    if (!(await isOpenvinoXml(file))) return [];
    const needed = await file.withReader(weightsEnd);
    const path = weightsPath(file.path);
    const weights = model.file(path);
    if (weights === undefined) return needed > 0 ? [missing(path, `the weights of ${file.path} are in it`)] : [];
    if (weights.size >= needed) return [];
    const problem = `is cut off: it has ${bytesText(weights.size)} of ${bytesText(needed)}`;
    return [{ kind: 'cut_off', path, problem }];
  },
};

/** Whether a file is a network of OpenVINO; many other things are XML. */
export async function isOpenvinoXml(file: CheckedFile): Promise<boolean> {
  const head = await file.withReader(async (reader) => await reader.read(0, Math.min(reader.size, HEAD_BYTES)));
  return NETWORK.test(new TextDecoder().decode(head));
}

function weightsPath(xml: string): string {
  return `${xml.slice(0, -'.xml'.length)}.bin`;
}

/** Where the last constant of a network ends in its weights; 0 for one without constants. */
async function weightsEnd(reader: ByteReader): Promise<number> {
  let end = 0;
  for (let start = 0; start < Math.min(reader.size, MAX_XML_BYTES); start += WINDOW_BYTES) {
    const bytes = await reader.read(start, Math.min(WINDOW_BYTES + OVERLAP_BYTES, reader.size - start));
    for (const [, offset, size] of new TextDecoder('latin1').decode(bytes).matchAll(PLACE)) {
      end = Math.max(end, Number(offset) + Number(size));
    }
  }
  return end;
}
