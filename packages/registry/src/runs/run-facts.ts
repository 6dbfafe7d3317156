import {
  at,
  type ModelFacts,
  type ModelFolder,
  NO_FACTS,
  readDocument,
  sleap,
  sleapNn,
} from '@model-rtc/formats/layouts';
import { createFileChoice } from '../import/file-choice.ts';
import { requireInside } from '../import/inside-folder.ts';
import { withoutLogs } from '../import/left-out-logs.ts';
import { linkRulesFor } from '../import/link-rules.ts';
import { folderOnDisk } from '../import/scan-folder.ts';
import { walkFolder } from '../import/walk-folder.ts';
import { endedInFailure } from './failure-log.ts';
import { makeResumeCommand } from './resume-command.ts';

/**
 * - `finished`: its tool says so, or it has trained as long as configured, or until it stopped improving
 * - `failed`: its log ends with the error that its process died of
 * - `diverged`: its last losses are not numbers, and never will be again
 * - `unfinished`: neither. The times of its files tell whether it still trains
 * - `unknown`: it has no log of its epochs
 */
export type RunProgress = 'finished' | 'failed' | 'diverged' | 'unfinished' | 'unknown';

/** What a training run's folder tells while its files still change. */
export interface RunFacts {
  readonly facts: ModelFacts;
  readonly progress: RunProgress;
  readonly size: number;
  readonly fileCount: number;
  readonly hasWeights: boolean;
  /** Run it in the run's folder. */
  readonly resumeCommand?: string | undefined;
}

const CONFIG_FILE = /^training_config\.(ya?ml|json)$/;
/**
 * Files that the tools write when the training is over. Sources: sleap_nn/train.py (run_training), sleap/nn/training.py
 * (evaluate).
 */
const FINISHED_FILE = /^(final_model\.h5|metrics\..+\.npz|(train|val)(_\d+)?_pred_metrics\.npz)$/;

/** Files that a run has before it has learned anything, and tables of numbers that are not weights. */
const UNTRAINED = /(^|\/)initial_model\.h5$|\.npz$/;

/**
 * Reads a run of sleap-nn or SLEAP, whether it has weights already or not.
 * @param within the folder that must contain its files, after following links
 * @throws ModelRtcError `invalid_model` while its configuration cannot be understood, `storage` when it cannot be read,
 *   `refused` when a link leads out of the folder
 */
export async function readRunFacts(path: string, within?: string): Promise<RunFacts> {
  const links = await linkRulesFor(path, {
    follow: within === undefined,
    within: within === undefined ? [] : [within],
  });
  const choice = createFileChoice();
  const walked = await walkFolder(path, { choice, links });
  if (walked.problem !== undefined) throw walked.problem.error;
  const found = withoutLogs(walked, choice);
  if (within !== undefined) await requireInside(found.files, within);
  const folder = withInitialConfig(folderOnDisk(path, found.files));
  const match = (await sleapNn.recognise(folder)) ?? (await sleap.recognise(folder));
  const facts: ModelFacts = match?.facts ?? { ...NO_FACTS, modelType: 'run' };
  const config = await readConfig(folder, facts);
  const progress = progressOf(folder, facts, config);
  const files = folder.files.filter((file) => match?.leaveOut?.(file.path) === undefined);
  return {
    facts,
    progress: progress !== 'finished' && (await endedInFailure(path, walked.files)) ? 'failed' : progress,
    size: files.reduce((sum, file) => sum + file.size, 0),
    fileCount: files.length,
    hasWeights: folder.weights.some(({ path }) => !UNTRAINED.test(path)),
    resumeCommand: makeResumeCommand({ path, facts, config, has: (name) => folder.file(name) !== undefined }),
  };
}

/** A tool first writes the configuration that it was given, and its own version after it has read the data. */
function withInitialConfig(folder: ModelFolder): ModelFolder {
  const file = (path: string) =>
    folder.file(path) ?? (CONFIG_FILE.test(path) ? folder.file(path.replace('training', 'initial')) : undefined);
  return { ...folder, file };
}

async function readConfig(folder: ModelFolder, { configPath }: ModelFacts): Promise<unknown> {
  const file = configPath === undefined ? undefined : folder.file(configPath);
  return file === undefined ? undefined : await readDocument(file);
}

function progressOf({ files }: ModelFolder, { framework, metrics }: ModelFacts, config: unknown): RunProgress {
  if (files.some(({ path }) => FINISHED_FILE.test(path))) return 'finished';
  const { last_epoch: last, best_epoch: best, final_train_loss: train, final_val_loss: val } = metrics;
  if (typeof last !== 'number') return 'unknown';
  if (train === undefined && val === undefined) return 'diverged';
  const { epochs, patience } = limitsOf(framework, config);
  // Epochs count from 0.
  if (typeof epochs === 'number' && last + 1 >= epochs) return 'finished';
  const ranOut = typeof patience === 'number' && typeof best === 'number' && last - best >= patience;
  return ranOut ? 'finished' : 'unfinished';
}

/** The configured number of epochs, and after how many without a better loss the tool stops early. */
function limitsOf(framework: string | undefined, config: unknown): { epochs: unknown; patience: unknown } {
  const isLegacy = framework === 'sleap';
  const epochs = isLegacy ? at(config, 'optimization', 'epochs') : at(config, 'trainer_config', 'max_epochs');
  const stopping = at(config, isLegacy ? 'optimization' : 'trainer_config', 'early_stopping');
  const stops = at(stopping, 'stop_training_on_plateau') !== false;
  const patience = at(stopping, isLegacy ? 'plateau_patience' : 'patience');
  return { epochs, patience: stops ? patience : undefined };
}
