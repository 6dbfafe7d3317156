import type { Digest } from '@model-rtc/protocol';
import type { RegistryContext } from '../context.ts';
import type { ConvertOptions, ConvertResult } from './convert-model.ts';

export interface Conversions {
  /**
   * Makes a model of this machine's with its torch files (`.bin`, `.pt`, `.pth`) as safetensors files. No pickle is run. What is not
   * known to be plain tensors is refused by its name, and nothing is left behind.
   * @throws ModelRtcError `invalid_model` for a file that cannot be converted, `source_changed`, `storage_full`, `storage`,
   *   `not_found_locally`, `cancelled`
   */
  convertModel(digest: Digest, options?: ConvertOptions): Promise<ConvertResult>;
}

export function createConversions(context: RegistryContext): Conversions {
  return {
    convertModel: async (digest, options) =>
      await (await import('./convert-model.ts')).convertModel(context, digest, options),
  };
}
