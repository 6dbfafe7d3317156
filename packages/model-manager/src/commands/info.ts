import { formatBytes } from '@model-rtc/protocol';
import { notInstalled } from '../errors.ts';
import { parseNameRef } from '../reference.ts';
import type { InstalledModel, RemoteModelDetail } from '../types.ts';
import { flag, listedModel, listedVersion, registryOption } from './arguments.ts';
import { day, facts, safe } from './text.ts';
import { defineModelsCommand } from './types.ts';

/** Files that are listed before the rest is only counted. */
const SHOWN_FILES = 50;

export const info = defineModelsCommand({
  usage: 'info <model> <model-version>',
  describe: 'Show what is known of a version',
  positionals: { model: listedModel, 'model-version': listedVersion },
  options: {
    remote: flag('As the registry has it, with its files'),
    ...registryOption,
  },
  examples: [['$0 info fast-whisper/tiny fp16 --remote', 'before it is installed']],
  async run(context, { model, modelVersion: version, remote, registry, trustKey }) {
    const manager = await context.manager(registry, trustKey);
    const ref = { ...parseNameRef(model), version };
    if (remote) {
      const detail = await manager.getRemoteDetail(ref, { signal: context.signal });
      return context.result(detail, remoteText(detail));
    }
    const installed = await manager.getInstalled(ref);
    if (installed === undefined) {
      throw notInstalled(
        `${model} ${version}`,
        `See it in the registry: ${context.program} info ${model} ${version} --remote`,
      );
    }
    context.result(installed, installedText(installed));
  },
});

function installedText(model: InstalledModel): string {
  const { group, version, aliases, size, fileCount, digest, installedAt, path, registry, license, description } = model;
  return facts([
    ['Model', `${group}/${model.model}`],
    ['Version', version],
    ['Aliases', aliases.join(', ')],
    ['Size', `${formatBytes(size)} in ${fileCount} files`],
    ['License', license],
    ['Description', description],
    ['Digest', digest],
    ['Installed', day(installedAt)],
    ['Registry', registry],
    ['Path', path],
    ['State', model.isWhole ? undefined : 'damaged: install it again with --force'],
  ]);
}

function remoteText(model: RemoteModelDetail): string {
  const { group, version, aliasOf, size, chunkCount, chunkSize, files, hash, digest, metadata, installed } = model;
  const said = Object.entries(metadata).map(
    ([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)] as const,
  );
  const top = facts([
    ['Model', `${group}/${model.model}`],
    ['Version', aliasOf === undefined ? version : `${version} -> ${aliasOf}`],
    ['Size', `${formatBytes(size)} in ${chunkCount} chunks of ${formatBytes(chunkSize)}`],
    ['Manifest', hash],
    ['Digest', digest],
    ...said.map(([name, value]) => [safe(name), value] as const),
    ['Installed', installed === undefined ? 'no' : day(installed.installedAt)],
    ['Path', installed?.path],
  ]);
  const lines = files
    .slice(0, SHOWN_FILES)
    .map(({ path, size: bytes }) => `  ${formatBytes(bytes).padStart(9)}  ${safe(path)}`);
  const more = files.length > SHOWN_FILES ? [`  and ${files.length - SHOWN_FILES} more`] : [];
  return [top, 'Files:', ...lines, ...more].join('\n');
}
