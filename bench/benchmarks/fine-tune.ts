import { createLab } from '../../test/support/lab.ts';
import { importModel, openScene, pull, push, type TransferJson } from '../../test/support/scene.ts';
import type { Benchmark, Row } from '../support/benchmark.ts';
import { writeLlamaPair } from '../support/llama-pair.ts';

const FULL_SCALE = 8;
const QUICK_SCALE = 2;
/** Of what changed: chunks are cut where tensors are, and small ones share a chunk. */
const MOST_OVERHEAD = 1.02;

export const fineTune: Benchmark = {
  name: 'fine-tune',
  title: 'What moves of a fine-tune whose base the receiver has, beside the whole model',
  async run({ quick }, say) {
    await using lab = createLab();
    const scene = await openScene(lab);
    const pair = await writeLlamaPair(await lab.folder(), quick ? QUICK_SCALE : FULL_SCALE);
    const [sender, receiver] = [await scene.client('sender'), await scene.client('receiver')];
    await importModel(sender, pair.base, 'base');
    await importModel(sender, pair.tuned, 'tuned');
    await push(sender, 'base');
    await pull(receiver, 'base');
    const row = (what: string, { transferredBytes }: TransferJson): Row => ({
      what: `${what}, ${(pair.changedBytes / 1e6).toFixed(1)} MB changed`,
      value: transferredBytes / 1e6,
      unit: 'MB',
      baseline: pair.tunedBytes / 1e6,
      ratio: transferredBytes / pair.tunedBytes,
      required: { of: 'value', atMost: Number(((pair.changedBytes / 1e6) * MOST_OVERHEAD).toFixed(2)) },
      samples: [transferredBytes / 1e6],
    });
    say('push');
    const pushed = await push(sender, 'tuned');
    say('pull');
    return [row('push', pushed), row('pull', await pull(receiver, 'tuned'))];
  },
};
