import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Alias, ModelEntry } from '@model-rtc/protocol';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import type { Registry } from '../../src/index.ts';
import { type Files, installFiles, manifestOf } from '../helpers/models.ts';
import { openTestRegistry } from '../helpers/registry.ts';

const LONG = `weights/${'a'.repeat(120)}/${'b'.repeat(200)}.bin`;
export const FILES: Files = {
  'best.ckpt': 'the best weights',
  'configs/größe ü.yaml': 'size: large\n',
  'empty.txt': '',
  [LONG]: 'x'.repeat(1500),
  'run.sh': '#!/bin/sh\n',
};
export const ENTRY: Partial<ModelEntry> = {
  alias: 'mouse' as Alias,
  name: 'The mouse, first version',
  tags: ['lab'],
  notes: 'Trained on a Tuesday.',
  metrics: { best_val_loss: 0.25 },
  license: 'mit',
  createdAt: '2026-01-02T03:04:05.000Z',
};

export interface Exported {
  readonly from: Registry;
  readonly archive: string;
}

export async function exportMouse(files: Files = FILES, entry = ENTRY): Promise<Exported> {
  const from = await openTestRegistry();
  const manifest = manifestOf(files, { 'run.sh': 0o755 });
  await installFiles(from, files, { manifest, entry, alias: entry.alias });
  const archive = join(await temporaryFolder(), 'mouse.tar');
  await from.exportModel('mouse', archive);
  return { from, archive };
}

export async function readFiles(folder: string, files: Files = FILES): Promise<Record<string, string>> {
  const read = Object.keys(files).map(async (path) => [path, await readFile(join(folder, path), 'utf8')]);
  return Object.fromEntries(await Promise.all(read));
}
