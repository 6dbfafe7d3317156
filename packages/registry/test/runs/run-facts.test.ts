import { mkdir, rename, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { tellsOfFailure } from '../../src/runs/failure-log.ts';
import { makeResumeCommand } from '../../src/runs/resume-command.ts';
import { readRunFacts } from '../../src/runs/run-facts.ts';
import { writeFiles } from '../import/folders.ts';
import { type NnRunOptions, writeNnRun, writeSleapRun } from './training-runs.ts';

const falling = (epochs: number) => Array.from({ length: epochs }, (_, epoch) => 1 / (epoch + 1));

const TRACE = 'Traceback (most recent call last):\n  File "train.py", line 7, in fit\n    step()\nRuntimeError: boom';

describe('what is read of a run in training', () => {
  it('is its last epoch, its losses and what its configuration says', async () => {
    const facts = await readRunFacts(await writeNnRun(await temporaryFolder(), { losses: [0.5, 0.25] }));
    expect(facts).toMatchObject({ progress: 'unfinished', hasWeights: true, fileCount: 4 });
    expect(facts.facts).toMatchObject({ modelType: 'centroid', framework: 'sleap-nn', runName: 'mouse' });
    expect(facts.facts.metrics).toMatchObject({ last_epoch: 1, final_val_loss: 0.25 });
  });

  it('is there before the first checkpoint, and before the configuration is settled', async () => {
    const run = await writeNnRun(await temporaryFolder(), { files: [] });
    await rm(join(run, 'training_config.yaml'));
    const facts = await readRunFacts(run);
    expect(facts).toMatchObject({ progress: 'unknown', hasWeights: false });
    expect(facts.facts).toMatchObject({ modelType: 'centroid', configPath: 'initial_config.yaml' });
  });

  it.each<[string, string, NnRunOptions]>([
    ['finished', 'all epochs are done', { losses: falling(10) }],
    ['unfinished', 'an epoch is missing', { losses: falling(9) }],
    ['finished', 'the loss has not fallen for as many epochs as it waits', { losses: [0.1, 1, 1, 1, 1, 1] }],
    ['unfinished', 'it waits one epoch more', { losses: [0.1, 1, 1, 1, 1] }],
    ['finished', 'it is evaluated', { losses: falling(3), files: ['best.ckpt', 'metrics.val.0.npz'] }],
    ['diverged', 'the losses are no numbers any more', { losses: [0.5, 'nan'] }],
    ['unknown', 'there is no log', {}],
  ])('is %s when %s', async (progress, _when, options) => {
    expect((await readRunFacts(await writeNnRun(await temporaryFolder(), options))).progress).toBe(progress);
  });

  it('has failed when its log ends with the error that it died of, however it was written', async () => {
    const run = await writeNnRun(await temporaryFolder(), { losses: falling(3) });
    const progressWith = async (log: string) => {
      await writeFiles(run, { 'train.log': log });
      return (await readRunFacts(run)).progress;
    };
    expect(await progressWith(`epoch 1\r\nepoch 2\r\n${TRACE}`)).toBe('failed');
    expect(await progressWith(`${TRACE}\nepoch 3: loss 0.1\n`)).toBe('unfinished');
    // A log that was not written to since the training went on says nothing of it.
    await progressWith(TRACE);
    await utimes(join(run, 'train.log'), 1_000_000, 1_000_000);
    expect((await readRunFacts(run)).progress).toBe('unfinished');
  });

  it.each([
    [true, TRACE],
    [true, `${TRACE}\nsrun: error: node7: task 0: Exited with exit code 1\n`],
    [true, 'epoch 7\n/bin/sh: line 1: 4711 Segmentation fault (core dumped)'],
    [true, 'slurmstepd: error: Detected 1 oom-kill event(s) in StepId=1.batch'],
    [true, 'epoch 7\nTraining failed: no space left on device\n'],
    [false, TRACE.replace('RuntimeError: boom', 'KeyboardInterrupt')],
    [false, 'slurmstepd: error: *** JOB 7 ON node7 CANCELLED AT 2026-01-01T00:00:00 DUE TO TIME LIMIT ***'],
    [false, 'Traceback (most recent call last):\n  File "a.py", line 1'],
    [false, 'epoch 7, loss 0.1'],
    [false, ''],
  ])('is told %s of a log that ends with %j', (expected, tail) => {
    expect(tellsOfFailure(tail)).toBe(expected);
  });

  it('has no weights while there are none but those that it began with', async () => {
    const run = await writeSleapRun(await temporaryFolder(), { 'initial_model.h5': 'w', 'metrics.val.npz': 'x' });
    expect((await readRunFacts(run)).hasWeights).toBe(false);
    await writeFiles(run, { 'best_model.h5': 'w' });
    expect((await readRunFacts(run)).hasWeights).toBe(true);
  });

  it('of SLEAP 1.x counts its own epochs and knows its final model', async () => {
    const log = (rows: number) =>
      `epoch,loss,val_loss\n${falling(rows)
        .map((l, i) => `${i},${l},${l}`)
        .join('\n')}\n`;
    const run = await writeSleapRun(await temporaryFolder(), { 'best_model.h5': 'w', 'training_log.csv': log(20) });
    expect((await readRunFacts(run)).progress).toBe('unfinished');
    await writeFiles(run, { 'final_model.h5': 'w' });
    expect((await readRunFacts(run)).progress).toBe('finished');
    await rm(join(run, 'final_model.h5'));
    await writeFiles(run, { 'training_log.csv': log(200) });
    expect((await readRunFacts(run)).progress).toBe('finished');
  });
});

describe('the command that goes on with a run', () => {
  it('of sleap-nn starts where the training was started, from the last checkpoint', async () => {
    const run = await writeNnRun(await temporaryFolder(), { files: ['best.ckpt', 'last.ckpt'] });
    expect((await readRunFacts(run)).resumeCommand).toBe(
      'cd ../.. && sleap-nn train --config models/mouse/training_config.yaml trainer_config.resume_ckpt_path=models/mouse/last.ckpt',
    );
  });

  it('writes beside a run that was moved, since its configuration names another place', async () => {
    const start = await temporaryFolder();
    const run = await writeNnRun(start);
    await mkdir(join(start, 'archive'));
    await rename(run, join(start, 'archive', 'old mouse'));
    expect((await readRunFacts(join(start, 'archive', 'old mouse'))).resumeCommand).toBe(
      "sleap-nn train --config training_config.yaml trainer_config.resume_ckpt_path=best.ckpt trainer_config.ckpt_dir=.. 'trainer_config.run_name='\\''old mouse'\\'''",
    );
  });

  it('keeps to where the configuration says when that is a full path', async () => {
    const run = await writeNnRun(await temporaryFolder(), { runs: '/data/models' });
    expect((await readRunFacts(run)).resumeCommand).toBe(
      'sleap-nn train --config training_config.yaml trainer_config.resume_ckpt_path=best.ckpt',
    );
  });

  it('starts again when nothing was saved', async () => {
    const run = await writeNnRun(await temporaryFolder(), { files: [] });
    expect((await readRunFacts(run)).resumeCommand).toBe(
      'cd ../.. && sleap-nn train --config models/mouse/training_config.yaml',
    );
  });

  it('of SLEAP 1.x takes the best weights of the run', async () => {
    const run = await writeSleapRun(await temporaryFolder(), { 'best_model.h5': 'w' });
    expect((await readRunFacts(run)).resumeCommand).toBe(
      'cd ../.. && sleap-train models/rat/training_config.json --base_checkpoint models/rat',
    );
  });

  it('lets no name in a configuration become a command of its own', async () => {
    const path = "/runs/models/x'; touch gone; '";
    const command = makeResumeCommand({
      path,
      facts: {
        modelType: 'centroid',
        status: 'completed',
        framework: 'sleap-nn',
        configPath: 'training_config.yaml',
        metrics: {},
        hyperparameters: {},
        versions: {},
      },
      config: { trainer_config: { ckpt_dir: 'models', run_name: "x'; touch gone; '" } },
      has: (name) => name === 'best.ckpt',
    });
    const { execFileSync } = await import('node:child_process');
    const words = execFileSync('sh', ['-c', `set -- ${command?.replace('cd ../.. && ', '')}; printf '%s\\n' "$@"`], {
      encoding: 'utf8',
    });
    expect(words.split('\n')).toEqual([
      'sleap-nn',
      'train',
      '--config',
      "models/x'; touch gone; '/training_config.yaml",
      "trainer_config.resume_ckpt_path='models/x\\'; touch gone; \\'/best.ckpt'",
      '',
    ]);
  });

  it('is not known of other tools', () => {
    const facts = {
      modelType: 'x',
      status: 'completed',
      configPath: 'config.json',
      metrics: {},
      hyperparameters: {},
      versions: {},
    } as const;
    expect(makeResumeCommand({ path: '/x', facts, config: {}, has: () => true })).toBeUndefined();
  });
});
