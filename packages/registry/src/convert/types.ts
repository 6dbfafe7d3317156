/** What models can be converted to. */
export type ConvertFormat = 'safetensors';

/** A file that took another one's place. Both are paths inside the model. */
export interface ConvertedFile {
  readonly from: string;
  readonly to: string;
}
