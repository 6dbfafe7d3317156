import { realpath } from 'node:fs/promises';
import { atStorage, isInside } from '@model-rtc/files';
import { ModelRtcError } from '@model-rtc/protocol';
import { repositoryOf } from './hub-cache.ts';

/** Links that a message names; the details have more. */
const MAX_LISTED = 4;
const MAX_IN_DETAILS = 100;

/** A symbolic link in a model's folder, and the file or folder that it leads to. */
export interface FollowedLink {
  /** Inside the model. */
  readonly path: string;
  /** Absolute and without links. */
  readonly target: string;
}

/** Which links an import takes for what they lead to. */
export interface LinkRules {
  /** Take all of them, and walk folders behind them. */
  readonly follow: boolean;
  /** Folders without links. A link to a file in one of them is taken. */
  readonly within: readonly string[];
  /** What a person can do about links that lead elsewhere, a sentence. */
  readonly advice: string;
}

const ADVICE = 'Remove such links or leave them out with --exclude, or take what they lead to with --follow-links.';
const ADVICE_WHEN_FOUND =
  'What lies outside of a watched folder is not served: watch the folder that it lies in, or import the model with --follow-links.';

/**
 * The rules for a folder: links may lead to files in it, those of a snapshot to the repository that it is in, where a hub's cache
 * keeps the files themselves.
 * @param within - folders that links may lead into as well
 */
export async function linkRulesFor(
  root: string,
  { follow, within = [] }: { readonly follow: boolean; readonly within?: readonly string[] | undefined },
): Promise<LinkRules> {
  const real = await atStorage(root, 'read', () => realpath(root));
  const advice = within.length === 0 ? ADVICE : ADVICE_WHEN_FOUND;
  const others = await Promise.all(within.map((folder) => realpath(folder).catch(() => folder)));
  return { follow, within: [repositoryOf(real) ?? real, ...others], advice };
}

/** Where a link leads. `outside`: to where the rules do not allow it. */
export async function judgeLink(
  absolutePath: string,
  { within }: LinkRules,
): Promise<{ readonly target: string; readonly isOutside: boolean }> {
  const target = await atStorage(absolutePath, 'read', () => realpath(absolutePath));
  return { target, isOutside: !within.some((folder) => isInside(target, folder)) };
}

/** The error for links that lead out of a folder. */
export function linksOutError(
  root: string,
  links: readonly FollowedLink[],
  { advice }: Pick<LinkRules, 'advice'>,
): ModelRtcError {
  const listed = links.slice(0, MAX_LISTED).map(({ path, target }) => `${path} (to ${target})`);
  const more = links.length > MAX_LISTED ? ` and ${links.length - MAX_LISTED} more` : '';
  const what = links.length === 1 ? 'A link leads' : `${links.length} links lead`;
  const sentence = `${what} out of ${root}: ${listed.join(', ')}${more}. ${advice}`;
  return new ModelRtcError('refused', sentence, { details: { path: root, links: links.slice(0, MAX_IN_DETAILS) } });
}
