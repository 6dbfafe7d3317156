import { ID_LENGTH } from '@model-rtc/protocol';
import type { RegistryIndex } from './index-schema.ts';

const ID_STEP = 4;

/** The start of a digest that is no other model's id: 8 characters, longer while a model of another digest has it. */
export function freeId(index: RegistryIndex, digest: string, isTaken: (id: string) => boolean = () => false): string {
  for (let length = ID_LENGTH; length < digest.length; length += ID_STEP) {
    const id = digest.slice(0, length);
    const holder = index.byId.get(id);
    if ((holder === undefined || holder.digest === digest) && !isTaken(id)) return id;
  }
  return digest;
}
