import { StructureError } from '../bytes/structure-error.ts';
import type { ByteReader } from '../types.ts';
import { readZipDirectory } from '../zip/zip-directory.ts';

/** The module's source, which torch.save does not write. Source: PyTorch torch/csrc/jit/serialization/export_module.cpp */
const CODE = /^(?:[^/]+\/)?code\/.+\.py$/;
/** Of a program of torch.export. Source: PyTorch torch/_export/serde and torch/export/pt2_archive/constants.py */
const EXPORTED = /^(?:[^/]+\/)?(?:archive_format|serialized_exported_program\.json|models\/[^/]+\.json)$/;

/** Which tool of torch wrote an archive whose name does not tell: torch.jit.save or torch.export.save. Undefined for all else. */
export async function torchProgramKind(reader: ByteReader): Promise<'torchscript' | 'torch_export' | undefined> {
  try {
    const entries = (await readZipDirectory(reader))?.entries ?? [];
    if (entries.some(({ name }) => EXPORTED.test(name))) return 'torch_export';
    return entries.some(({ name }) => CODE.test(name)) ? 'torchscript' : undefined;
  } catch (error) {
    if (error instanceof StructureError) return undefined;
    throw error;
  }
}
