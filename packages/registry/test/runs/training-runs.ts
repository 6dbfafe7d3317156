import { join } from 'node:path';
import { writeFiles } from '../import/folders.ts';

export interface NnRunOptions {
  readonly name?: string;
  readonly runs?: string;
  readonly maxEpochs?: number;
  readonly patience?: number;
  /** The validation loss of each epoch. */
  readonly losses?: readonly (number | string)[];
  readonly files?: readonly string[];
}

/** A run's folder as sleap-nn writes it: `<start>/<runs>/<name>`. */
export async function writeNnRun(start: string, options: NnRunOptions = {}): Promise<string> {
  const { name = 'mouse', runs = 'models', maxEpochs = 10, patience = 5, losses, files = ['best.ckpt'] } = options;
  const config = `model_config:
  backbone_config: {unet: {filters: 16}}
  head_configs: {centroid: {confmaps: {sigma: 2.5}}}
trainer_config:
  max_epochs: ${maxEpochs}
  ckpt_dir: ${runs}
  run_name: ${name}
  early_stopping: {stop_training_on_plateau: true, patience: ${patience}}
`;
  const log = losses?.map((loss, epoch) => `${epoch},${loss},${loss}\n`).join('');
  return await writeFiles(join(start, 'models', name), {
    'initial_config.yaml': config,
    'training_config.yaml': config,
    ...(log === undefined ? {} : { 'training_log.csv': `epoch,train/loss,val/loss\n${log}` }),
    ...Object.fromEntries(files.map((file) => [file, `weights of ${name} in ${file}`])),
  });
}

/** A run's folder as SLEAP 1.x writes it. */
export async function writeSleapRun(start: string, files: Readonly<Record<string, string>> = {}): Promise<string> {
  const config = {
    sleap_version: '1.3.3',
    model: { heads: { centroid: { sigma: 2.5 } }, backbone: { unet: { filters: 16 } } },
    optimization: { epochs: 200, early_stopping: { stop_training_on_plateau: true, plateau_patience: 10 } },
    outputs: { run_name: 'rat', runs_folder: 'models' },
  };
  return await writeFiles(join(start, 'models', 'rat'), { 'training_config.json': JSON.stringify(config), ...files });
}
