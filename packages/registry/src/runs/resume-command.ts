import { posix, sep } from 'node:path';
import { at, toText } from '@model-rtc/formats';
import type { ModelFacts } from '@model-rtc/formats/layouts';

export interface ResumableRun {
  /** The run's folder, absolute. */
  readonly path: string;
  readonly facts: ModelFacts;
  /** The parsed configuration. */
  readonly config: unknown;
  /** Whether the run's folder has a file with this name. */
  has(name: string): boolean;
}

/** Where a command runs, and where the run's folder is from there. */
interface Standpoint {
  /** Relative to the run's folder; empty for that folder itself. */
  readonly cd: string;
  /** With a slash at the end, or empty. */
  readonly prefix: string;
}

/**
 * Sources: https://nn.sleap.ai (guides, resuming) for sleap-nn, which takes optimizer and epoch from a checkpoint;
 * https://legacy.sleap.ai (guides, sleap-train) for SLEAP 1.x, which takes the best weights of another run's folder. Both leave
 * that folder as it is and write to a new one beside it.
 */
export function makeResumeCommand(run: ResumableRun): string | undefined {
  const { framework, configPath } = run.facts;
  if (configPath === undefined) return undefined;
  if (framework === 'sleap-nn') return resumeSleapNn(run, configPath);
  if (framework === 'sleap') return resumeSleap(run, configPath);
  return undefined;
}

function resumeSleapNn({ path, config, has, facts }: ResumableRun, configPath: string): string {
  const runs = toText(at(config, 'trainer_config', 'ckpt_dir')) ?? '.';
  const name = toText(at(config, 'trainer_config', 'run_name'));
  const { cd, prefix } = standpoint(path, runs, name);
  const checkpoint = ['last.ckpt', 'best.ckpt'].find(has) ?? facts.checkpointPath;
  const args = ['sleap-nn', 'train', '--config', quoteArg(prefix + configPath)];
  if (checkpoint !== undefined) args.push(override('resume_ckpt_path', prefix + checkpoint));
  // Otherwise the tool would make the configured folder below the run's folder.
  if (cd === '' && !posix.isAbsolute(runs)) {
    args.push(override('ckpt_dir', '..'), override('run_name', posix.basename(path.split(sep).join('/'))));
  }
  return inFolder(cd, args);
}

function resumeSleap({ path, config, has }: ResumableRun, configPath: string): string {
  const runs = toText(at(config, 'outputs', 'runs_folder')) ?? 'models';
  const { cd, prefix } = standpoint(path, runs, toText(at(config, 'outputs', 'run_name')));
  const args = ['sleap-train', quoteArg(prefix + configPath)];
  if (has('best_model.h5')) args.push('--base_checkpoint', quoteArg(prefix === '' ? '.' : prefix.slice(0, -1)));
  return inFolder(cd, args);
}

/**
 * The folder that the training started in: paths of labels in its configuration are relative to it. It is known when the run
 * lies where the configuration says: in `<start>/<runs>/<name>`.
 */
function standpoint(path: string, runs: string, name: string | undefined): Standpoint {
  const parts = path.split(sep).filter((part) => part !== '');
  const expected = posix
    .normalize(`${runs}/${name ?? parts.at(-1)}`)
    .split('/')
    .filter((part) => part !== '');
  const isThere =
    !posix.isAbsolute(runs) &&
    !expected.includes('..') &&
    expected.length < parts.length &&
    expected.every((part, i) => part === parts[parts.length - expected.length + i]);
  if (!isThere) return { cd: '', prefix: '' };
  return { cd: expected.map(() => '..').join('/'), prefix: `${expected.join('/')}/` };
}

function inFolder(cd: string, args: readonly string[]): string {
  return `${cd === '' ? '' : `cd ${cd} && `}${args.join(' ')}`;
}

/** A value of the configuration in Hydra's grammar, which takes quoted text literally. */
function override(key: string, value: string): string {
  const plain = /^[A-Za-z0-9_./-]+$/.test(value);
  const text = plain ? value : `'${value.replaceAll(/\\(?=\\*'|\\*$)/g, '\\\\').replaceAll("'", "\\'")}'`;
  return quoteArg(`trainer_config.${key}=${text}`);
}

/** A word that a POSIX shell takes literally. */
function quoteArg(text: string): string {
  return /^[A-Za-z0-9_./=:@%+-]+$/.test(text) && !text.startsWith('-') ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
