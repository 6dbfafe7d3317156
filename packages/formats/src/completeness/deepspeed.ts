import { baseName } from '../file-names.ts';
import { folderOf, missing } from './folders.ts';
import type { CheckedFile, CheckedFiles, Flaw, NamingFile } from './types.ts';

const MAX_TAG_BYTES = 256;
const MODEL_STATES = /(^|_)model_states\.pt$/;
const OPTIMIZER_STATES = /(^|_)optim_states\.pt$/;
const PARTITION = /zero_pp_rank_(\d+)_mp_rank_(\d+)_optim_states\.pt$/;

/** DeepSpeed: `latest` names the folder with the states of the model. Source: deepspeed/utils/zero_to_fp32.py */
export const deepspeed: NamingFile = { matches: (path) => baseName(path) === 'latest', check: checkLatest };

async function checkLatest(file: CheckedFile, { files, file: find }: CheckedFiles): Promise<Flaw[]> {
  if (file.size > MAX_TAG_BYTES) return [];
  const tag = new TextDecoder().decode(await file.withReader((reader) => reader.read(0, reader.size))).trim();
  const folder = `${folderOf(file.path)}${tag}/`;
  const isDeepspeed =
    find(`${folderOf(file.path)}zero_to_fp32.py`) !== undefined ||
    files.some(({ path }) => OPTIMIZER_STATES.test(path));
  if (!isDeepspeed || tag === '' || tag.includes('/')) return [];
  const states = files.map(({ path }) => path).filter((path) => path.startsWith(folder));
  if (!states.some((path) => MODEL_STATES.test(path))) {
    return [missing(`${folder}mp_rank_00_model_states.pt`, `${file.path} names its folder, which has no model_states`)];
  }
  return absentRanks(states);
}

/** The parts of the weights are numbered from 0; a hole among them is a part that is gone. */
function absentRanks(paths: readonly string[]): Flaw[] {
  const ranks = paths
    .map((path) => ({ path, rank: PARTITION.exec(path)?.[1] }))
    .filter(({ rank }) => rank !== undefined);
  const numbers = new Set(ranks.map(({ rank }) => Number(rank)));
  const [first] = ranks;
  const highest = Math.max(-1, ...numbers);
  // Numbers that leave more holes than parts are no numbers of ranks.
  if (first === undefined || highest + 1 > 2 * numbers.size) return [];
  const absent = Array.from({ length: highest + 1 }, (_, rank) => rank).filter((rank) => !numbers.has(rank));
  return absent.map((rank) =>
    missing(first.path.replace(/zero_pp_rank_\d+/, `zero_pp_rank_${rank}`), 'the parts beside it are there'),
  );
}
