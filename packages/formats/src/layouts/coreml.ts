import { readDocument } from '../documents/document.ts';
import { at, isObject, toText } from '../documents/scalars.ts';
import { factsOf } from './facts.ts';
import type { Layout, ModelFile, ModelFolder } from './types.ts';

/** Inside a package, what its items' paths are relative to. */
const DATA = 'Data/';
/** Where Core ML Tools put the specification. */
const SPECIFICATION = 'Data/com.apple.CoreML/model.mlmodel';

/** Core ML: a package (.mlpackage), or what Xcode compiles one to (.mlmodelc). Source: coremltools, mlpackage/src/ModelPackage.cpp */
export const coreml: Layout = {
  async recognise(folder) {
    const compiled = folder.file('coremldata.bin');
    const checkpoint = compiled ?? (await specificationOf(folder));
    if (checkpoint === undefined) return undefined;
    const facts = factsOf(checkpoint, {
      modelType: 'coreml',
      framework: 'coreml',
      configPath: compiled === undefined ? 'Manifest.json' : folder.file('metadata.json')?.path,
    });
    return { facts };
  },
};

/** The item that the manifest calls the root model. Undefined for a folder that is no package; other tools write a `Manifest.json` too. */
async function specificationOf(folder: ModelFolder): Promise<ModelFile | undefined> {
  const manifest = folder.file('Manifest.json');
  if (manifest === undefined) return undefined;
  const document = await readDocument(manifest);
  const root = toText(at(document, 'rootModelIdentifier'));
  if (root === undefined || !isObject(at(document, 'itemInfoEntries'))) return undefined;
  const path = toText(at(document, 'itemInfoEntries', root, 'path'));
  return folder.file(`${DATA}${path}`) ?? folder.file(SPECIFICATION);
}
