import { type Findings, scanFile } from '@model-rtc/formats';
import { nodeInflate } from '../bytes/node-inflate.ts';
import { arrayReader } from '../bytes/readers.ts';

export { raw, unicode } from '../../../../test/support/pickle-bytes.ts';

export async function scanBytes(bytes: Uint8Array, name: string): Promise<Findings> {
  return await scanFile({ ...arrayReader(bytes), path: name }, { inflate: nodeInflate });
}
