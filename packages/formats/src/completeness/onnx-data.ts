import { StructureError } from '../bytes/structure-error.ts';
import { extensionOf } from '../file-names.ts';
import { readOnnx } from '../onnx/onnx.ts';
import { besideFile, missing } from './folders.ts';
import { bytesText } from './sizes.ts';
import type { CheckedFile, CheckedFiles, Flaw, NamingFile } from './types.ts';

/** The files beside an ONNX file that hold its tensors; the ONNX file names them. */
export const onnxData: NamingFile = { matches: (path) => extensionOf(path) === '.onnx', check: checkData };

/** The paths, inside the model, of the files that an ONNX file keeps tensors in; none for a broken one. */
export async function onnxDataPaths(file: CheckedFile): Promise<readonly { path: string; end: number }[]> {
  try {
    const { external } = await file.withReader(async (reader) => await readOnnx(reader, { inside: true }));
    return external.flatMap(({ location, end }) => {
      const path = besideFile(file.path, location);
      return path === undefined ? [] : [{ path, end }];
    });
  } catch (error) {
    // What is wrong with the file itself is said elsewhere.
    if (error instanceof StructureError) return [];
    throw error;
  }
}

async function checkData(file: CheckedFile, model: CheckedFiles): Promise<Flaw[]> {
  return (await onnxDataPaths(file)).flatMap(({ path, end }): Flaw[] => {
    const data = model.file(path);
    if (data === undefined) return [missing(path, `${file.path} keeps its weights in it`)];
    if (data.size >= end) return [];
    const problem = `is cut off: it has ${bytesText(data.size)} of the ${bytesText(end)} that ${file.path} reads`;
    return [{ kind: 'cut_off', path, problem }];
  });
}
