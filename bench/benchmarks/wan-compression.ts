import { createLab } from '../../test/support/lab.ts';
import { importModel } from '../../test/support/scene.ts';
import { openWanScene } from '../../test/support/wan-scene.ts';
import { createBaseline } from '../support/baseline.ts';
import { type Benchmark, ratioRow } from '../support/benchmark.ts';
import { writeLlamaPair } from '../support/llama-pair.ts';
import { assertWan, memoryRow, type Pulled, pullOver } from '../support/wan-bench.ts';

const FULL_SCALE = 6;
const QUICK_SCALE = 2;
const FULL_REPEATS = 3;
const LEAST_RATIO = 1.3;
const DIRECT = { lane: 'direct' } as const;

export const wanCompression: Benchmark = {
  name: 'wan-compression',
  title: 'Pull of bf16 weights over an emulated link of 50 Mbit/s, beside the same with --compress off',
  async run({ quick }, say) {
    assertWan();
    await using lab = createLab();
    const scene = await openWanScene(lab, { rateMbit: 50, delayMs: 10 });
    const { base } = await writeLlamaPair(await lab.folder(), quick ? QUICK_SCALE : FULL_SCALE);
    const { size } = await importModel(scene.worker, base, 'model');
    const compressed: Pulled[] = [];
    const plain = createBaseline(say);
    for (let repeat = 1; repeat <= (quick ? 1 : FULL_REPEATS); repeat += 1) {
      say(`repeat ${repeat}`);
      await plain.measure(async (signal) => {
        const pulled = await pullOver(scene, `plain-${repeat}`, DIRECT, { more: ['--compress', 'off'], signal });
        return pulled.megabytesPerSecond;
      });
      compressed.push(await pullOver(scene, `compressed-${repeat}`, DIRECT, { more: ['--compress', 'auto'] }));
    }
    const samples = compressed.map(({ megabytesPerSecond }) => megabytesPerSecond);
    const what = `pull ${(size / 1e6).toFixed(0)} MB of bf16`;
    const row = { what, unit: 'MB/s', samples, beside: plain, atLeast: LEAST_RATIO };
    return [ratioRow(row), memoryRow(what, compressed)];
  },
};
