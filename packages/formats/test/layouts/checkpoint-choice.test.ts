import { describe, expect, it } from '@jest/globals';
import { chooseCheckpoint } from '../../src/layouts/checkpoint-choice.ts';
import { memoryFile } from './memory-files.ts';

const chosen = (...paths: string[]) => chooseCheckpoint(paths.map((path) => memoryFile(path, 'x')))?.path;

describe('the checkpoint that a person would load', () => {
  it.each<[string[], string]>([
    [['epoch10.pt', 'last.pt', 'best.pt'], 'best.pt'],
    [['checkpoint_latest.pth', 'checkpoint_final.pth'], 'checkpoint_final.pth'],
    [['epoch=9-step=90.ckpt', 'last.ckpt'], 'last.ckpt'],
    [['epoch=9.ckpt', 'epoch=10.ckpt', 'epoch=2.ckpt'], 'epoch=10.ckpt'],
    [['model_0004999.pth', 'model_final.pth'], 'model_final.pth'],
    [['optimizer.pt', 'model.pt'], 'model.pt'],
    [['mp_rank_00_optim_states.pt', 'mp_rank_00_model_states.pt'], 'mp_rank_00_model_states.pt'],
    [['encoder.pt', 'decoder.pt'], 'encoder.pt'],
    [['optimizer.pt'], 'optimizer.pt'],
  ])('of %j is %s', (paths, path) => {
    expect(chosen(...paths)).toBe(path);
  });

  it('is not a small file that is only called so', () => {
    const [weights, table] = [memoryFile('network.pt', 'x'.repeat(100)), memoryFile('best_thresholds.npz', 'x')];
    expect(chooseCheckpoint([table, weights])).toBe(weights);
    expect(chooseCheckpoint([])).toBeUndefined();
  });
});
