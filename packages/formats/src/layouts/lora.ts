import { StructureError } from '../bytes/structure-error.ts';
import { readSafetensorsHeader } from '../safetensors/safetensors.ts';
import type { ByteReader, MetadataValues } from '../types.ts';

/** Names of an adapter's tensors, as peft, diffusers, kohya's scripts and LyCORIS give them. */
const ADAPTER_TENSOR = /(^|[._])(lora(_?[AB]|_down|_up)?|hada_w\d|lokr_w\d|dora_scale|alpha|diff)([._]|$)/;
/** Some keep a few tensors of the model as they are: an embedding, a head. */
const LEAST_SHARE = 0.9;

/** Whether a safetensors file is an adapter and no model of its own: by what its trainer wrote into it, or by the names of its tensors. */
export async function isLoraFile(reader: ByteReader, values: MetadataValues): Promise<boolean> {
  if (values.has('ss_network_module') || String(values.get('modelspec.architecture') ?? '').endsWith('/lora'))
    return true;
  const names = await tensorNames(reader);
  const ofAdapter = names.filter((name) => ADAPTER_TENSOR.test(name)).length;
  return names.some((name) => /lora|hada_w|lokr_w/.test(name)) && ofAdapter >= LEAST_SHARE * names.length;
}

async function tensorNames(reader: ByteReader): Promise<readonly string[]> {
  try {
    return (await readSafetensorsHeader(reader))?.tensors.map(({ name }) => name) ?? [];
  } catch (error) {
    if (error instanceof StructureError) return [];
    throw error;
  }
}
