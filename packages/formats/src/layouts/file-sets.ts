import { numberedPart } from '../completeness/numbered-parts.ts';
import { onnxDataPaths } from '../completeness/onnx-data.ts';
import { isOpenvinoXml } from '../completeness/openvino.ts';
import type { CheckedFile } from '../completeness/types.ts';
import { baseName, extensionOf } from '../file-names.ts';

/** What a person means who names one file: some files beside it, or the whole folder that it is in. */
export type FileSet =
  | {
      readonly kind: 'files';
      /** Relative to the folder; those that are not there are left to the check for completeness. */
      readonly paths: readonly string[];
      /** The file that stands for the model. */
      readonly checkpoint: string;
      /** What the files have in common in their names. */
      readonly name: string;
    }
  | { readonly kind: 'folder' };

/** Files that are of no use without the folder that they describe. */
const FOLDER_FILES =
  /^(saved_model\.pb|model_index\.json|\.metadata|MLmodel|(args|hparams|pose_cfg|pytorch_config)\.yaml|plans\.json|training_config\.(ya?ml|json)|.*_(model|optim)_states\.pt)$/;
const TENSORFLOW_PART = /^(.+?)\.(?:index|meta|data-\d{5}-of-\d{5})$/;

/**
 * The files that belong to one that was named: all shards and parts of its set, the data of an ONNX file, the other half of a
 * network of OpenVINO, the three files of a TensorFlow checkpoint. Undefined for a file that is whole by itself.
 * @param names - of the files in its folder
 * @param open - gives one of them
 * @throws what reading a file throws
 */
export async function fileSetOf(
  name: string,
  names: readonly string[],
  open: (name: string) => Promise<CheckedFile>,
): Promise<FileSet | undefined> {
  const extension = extensionOf(name);
  if (FOLDER_FILES.test(name) || extension === '.distcp') return { kind: 'folder' };
  return (
    tensorflowSet(name, names) ??
    numberedSet(name, names) ??
    (extension === '.xml' || extension === '.bin' ? await openvinoSet(name, names, open) : undefined) ??
    (extension === '.onnx' ? await onnxSet(name, open) : undefined)
  );
}

function tensorflowSet(name: string, names: readonly string[]): FileSet | undefined {
  const stem = TENSORFLOW_PART.exec(name)?.[1];
  if (stem === undefined || !names.includes(`${stem}.index`)) return undefined;
  const paths = names.filter((other) => TENSORFLOW_PART.exec(other)?.[1] === stem);
  return { kind: 'files', paths, checkpoint: `${stem}.index`, name: stem };
}

/** The parts, and the index that says which tensor is in which of them. */
function numberedSet(name: string, names: readonly string[]): FileSet | undefined {
  const part = numberedPart(name);
  if (part === undefined) return undefined;
  const parts = names.filter((other) => numberedPart(other)?.set === part.set).sort();
  const stem = part.set.slice(0, part.set.indexOf('*')).replace(/([-._]|\.?part)$/i, '');
  const ending = extensionOf(name);
  const index = names.filter((other) => other === `${stem}${ending}.index.json`);
  return { kind: 'files', paths: [...parts, ...index], checkpoint: parts[0] ?? name, name: withoutExtension(stem) };
}

/** `llama.gguf.part1of3` is a part of `llama.gguf`. */
function withoutExtension(stem: string): string {
  return stem.replace(/\.(gguf|safetensors|bin|pth?|ckpt)$/i, '');
}

async function openvinoSet(
  name: string,
  names: readonly string[],
  open: (name: string) => Promise<CheckedFile>,
): Promise<FileSet | undefined> {
  const stem = name.slice(0, name.lastIndexOf('.'));
  const xml = `${stem}.xml`;
  if (!names.includes(xml) || !(await isOpenvinoXml(await open(xml)))) return undefined;
  const paths = [xml, `${stem}.bin`].filter((other) => names.includes(other));
  return { kind: 'files', paths, checkpoint: xml, name: stem };
}

async function onnxSet(name: string, open: (name: string) => Promise<CheckedFile>): Promise<FileSet | undefined> {
  const data = await onnxDataPaths(await open(name));
  if (data.length === 0) return undefined;
  const stem = baseName(name).replace(/\.onnx$/i, '');
  return { kind: 'files', paths: [name, ...data.map(({ path }) => path)], checkpoint: name, name: stem };
}
