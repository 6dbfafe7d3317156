import type { Digest } from '@model-rtc/protocol';
import type { RegistryEntry } from '../entry/types.ts';
import type { WorkOptions } from '../import/types.ts';

/** What models can be converted to. */
export const CONVERT_FORMATS = ['safetensors'] as const;
export type ConvertFormat = (typeof CONVERT_FORMATS)[number];

/** A file that took another one's place. Both are paths inside the model. */
export interface ConvertedFile {
  readonly from: string;
  readonly to: string;
}

export interface ConvertOptions extends WorkOptions {
  /** Have the converted model take the place of this one, with its alias. Otherwise both are here. */
  readonly replace?: boolean | undefined;
}

export interface ConvertResult {
  /** The converted model; the model itself where there was nothing to convert. */
  readonly entry: RegistryEntry;
  /** Empty where there was nothing to convert. */
  readonly converted: readonly ConvertedFile[];
}

export interface Conversions {
  /**
   * Makes a model of this machine's with its torch files (`.bin`, `.pt`, `.pth`) as safetensors files. No pickle is run. What is not
   * known to be plain tensors is refused by its name, and nothing is left behind.
   * @throws ModelRtcError `invalid_model` for a file that cannot be converted, `source_changed`, `storage_full`, `storage`,
   *   `not_found_locally`, `cancelled`
   */
  convertModel(digest: Digest, options?: ConvertOptions): Promise<ConvertResult>;
}
