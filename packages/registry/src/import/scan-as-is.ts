import type { BigIntStats } from 'node:fs';
import { basename } from 'node:path';
import { NO_FACTS, noModelAt, weightsType } from '@model-rtc/formats/layouts';
import { ModelRtcError } from '@model-rtc/protocol';
import { AS_IS } from '../inspect/code-files.ts';
import { createFileChoice } from './file-choice.ts';
import { linkRulesFor } from './link-rules.ts';
import { toScannedFile } from './scanned-file.ts';
import type { Scanned, ScannedFile, ScanOptions } from './scanned-model.ts';
import { walkFolder } from './walk-folder.ts';

/**
 * Takes a file or a folder whole, whatever it is: logs, hidden files and programs too, except what --exclude names.
 * @throws ModelRtcError `bad_argument` for an empty folder or one with a hub's cache in it, and as `walkFolder`
 */
export async function scanAsIs(root: string, stats: BigIntStats, options: ScanOptions): Promise<Scanned> {
  if (!stats.isDirectory()) {
    if (!stats.isFile()) throw noModelAt(root);
    const file = toScannedFile(basename(root).normalize('NFC'), root, stats);
    return { files: [file], facts: factsOf([file]), skipped: [], followed: [] };
  }
  const { exclude, followLinks = false, linksWithin } = options;
  const links = await linkRulesFor(root, { follow: followLinks, within: linksWithin });
  const choice = createFileChoice(['**'], exclude);
  const { files, skipped, followed, repositories, problem } = await walkFolder(root, { choice, links });
  if (problem !== undefined) throw problem.error;
  const [repository] = repositories;
  if (repository !== undefined) throw holdsCache(root, repository);
  if (files.length === 0) throw noFiles(root);
  return { files, facts: factsOf(files), skipped, followed };
}

/** Which of several files stands for the model is not known. */
function factsOf(files: readonly ScannedFile[]): Scanned['facts'] {
  const only = files.length === 1 ? files[0]?.path : undefined;
  const modelType = only === undefined ? 'folder' : weightsType(only);
  return { ...NO_FACTS, modelType, framework: AS_IS, checkpointPath: only };
}

function noFiles(root: string): ModelRtcError {
  const sentence = `${root} has no files, so there is nothing to import. Check the path.`;
  return new ModelRtcError('bad_argument', sentence, { details: { path: root } });
}

function holdsCache(root: string, repository: string): ModelRtcError {
  const sentence = `${root} holds a repository of a hub's cache (${repository}), where each file is there several times over. Import that folder by itself, without --as-is.`;
  return new ModelRtcError('bad_argument', sentence, { details: { path: root, repository } });
}
