import { describe, expect, it } from '@jest/globals';
import { nameByPath, trainingStateReason } from '@model-rtc/formats/layouts';

describe('nameByPath', () => {
  it.each([
    ['runs/detect/train2', 'train2'],
    ['mouse-run/checkpoint/step-1000', 'mouse-run-step-1000'],
    ['mouse-classifier/1', 'mouse-classifier-1'],
    ['gait/lightning_logs/version_1', 'gait-version_1'],
    ['track/outputs/2024-05-01/10-00-00', 'track-2024-05-01-10-00-00'],
    ['mouse/model', 'mouse'],
    ['mouse/weights/best', 'mouse'],
    ['Kimi-K2-Q4_K_M', 'Kimi-K2-Q4_K_M'],
    ['tuned-mouse/checkpoint-1000', 'tuned-mouse-checkpoint-1000'],
    ['resnet/model_best.pth', 'resnet'],
    ['mouse/checkpoints/epoch=1-step=200.ckpt', 'mouse-epoch=1-step=200'],
    ['gait/mlruns/0/0123456789abcdef0123456789abcdef/checkpoints', 'gait-0'],
  ])('calls %s %s', (path, name) => {
    expect(nameByPath(path.split('/'))).toBe(name);
  });

  it('has no name for a path that says nothing', () => {
    expect(nameByPath(['models', 'best', '1'])).toBeUndefined();
  });
});

describe('trainingStateReason', () => {
  it.each([
    'optimizer.pt',
    'a/optimizer.bin',
    'scheduler.pt',
    'rng_state_0.pth',
    'random_states_0.pkl',
    'optimizer_0/__0_0.distcp',
    'fold_0/validation/case.nii.gz',
    'fold_0/checkpoint_latest.pth',
  ])('leaves out %s', (path) => {
    expect(trainingStateReason(path)).toBeDefined();
  });

  it.each([
    'model.pt',
    'scheduler/scheduler_config.json',
    'trainer_state.json',
    'optim_states.md',
    'zero_pp_rank_0_mp_rank_00_optim_states.pt',
    'validation/README.md',
  ])('keeps %s', (path) => {
    expect(trainingStateReason(path)).toBeUndefined();
  });
});
