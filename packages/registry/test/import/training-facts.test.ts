import { describe, expect, it } from '@jest/globals';
import { sample } from '../../../../test/support/model-samples.ts';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { scanModel } from '../../src/import/scan-model.ts';
import { FIXTURES } from './fixtures.ts';
import { writeFiles } from './folders.ts';

/** A safetensors file without tensors. */
function safetensors(metadata: Record<string, string>): Buffer {
  const header = Buffer.from(JSON.stringify({ __metadata__: metadata }));
  const length = Buffer.alloc(8);
  length.writeUInt32LE(header.length);
  return Buffer.concat([length, header]);
}

describe('what a model tells of its training', () => {
  it('is read from a checkpoint that stands alone', async () => {
    const folder = await writeFiles(await temporaryFolder(), { 'model.ckpt': sample('torchZip') });
    const { facts } = await scanModel(folder);
    expect(facts).toMatchObject({
      modelType: 'torch',
      metrics: { checkpoint_epoch: 7, global_step: 840, best_model_score: 0.125, best_val_loss: 0.125 },
      hyperparameters: { lr: 0.001, layers: 3 },
      versions: { lightning_version: '2.5.0' },
    });
  });

  it('is no more than an entry can hold, and nothing of a checkpoint that cannot be read', async () => {
    const folder = await writeFiles(await temporaryFolder(), { 'model.ckpt': sample('torchZip').subarray(0, 2000) });
    expect((await scanModel(folder)).facts).toMatchObject({ metrics: {}, hyperparameters: {}, versions: {} });
  });

  it('is read from the metadata of safetensors', async () => {
    const metadata = {
      ss_network_dim: '16',
      ss_epoch: '12',
      'modelspec.title': 'my lora',
      train_loss: '0.25',
      ss_tags: '{}',
    };
    const folder = await writeFiles(await temporaryFolder(), { 'lora.safetensors': safetensors(metadata) });
    const { facts, suggestedAlias } = await scanModel(folder);
    expect(facts).toMatchObject({ metrics: { epoch: 12, train_loss: 0.25 }, hyperparameters: { network_dim: '16' } });
    expect(suggestedAlias).toBe('my-lora');
  });

  it("is read from the Trainer's notes, and a broken one is passed over", async () => {
    const state = {
      epoch: 3,
      global_step: 30,
      best_metric: 0.4,
      log_history: [{ loss: 1 }, { eval_loss: 0.4 }, { eval_loss: 0.5 }],
    };
    for (const [text, metrics] of [
      [
        JSON.stringify(state),
        {
          best_metric: 0.4,
          last_epoch: 3,
          global_step: 30,
          final_train_loss: 1,
          final_val_loss: 0.5,
          best_val_loss: 0.4,
        },
      ],
      ['{', {}],
    ] as const) {
      const files = { 'config.json': '{}', 'model.safetensors': safetensors({}), 'trainer_state.json': text };
      expect((await scanModel(await writeFiles(await temporaryFolder(), files))).facts.metrics).toEqual(metrics);
    }
  });
});

describe('what a real run tells of its training', () => {
  it("joins its log, its configuration and its checkpoint; the configuration's word counts first", async () => {
    const { facts } = await scanModel(`${FIXTURES}good-mouse-v1`);
    expect(facts.metrics).toMatchObject({
      best_val_loss: 0.003535,
      checkpoint_epoch: 39,
      global_step: 4680,
      best_model_score: 0.00231,
    });
    expect(facts.hyperparameters).toMatchObject({ learning_rate: 0.001, lr: 0.001, backbone_type: 'unet' });
    expect(facts.versions).toEqual({ sleap_nn_version: '0.0.3', lightning_version: '2.5.0' });
  });
});
