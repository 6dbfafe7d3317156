import { formatBytes, ModelRtcError } from '@model-rtc/protocol';
import { parseNameRef } from '../reference.ts';
import type { PullResult } from '../types.ts';
import { flag, listedModel, listedVersion, priorityOf, priorityOption, registryOption, texts } from './arguments.ts';
import { PullView } from './pull-view.ts';
import { safe } from './text.ts';
import { defineModelsCommand } from './types.ts';

export const pull = defineModelsCommand({
  usage: 'pull <model> <model-version>',
  describe: 'Install a version from the registry',
  positionals: { model: listedModel, 'model-version': listedVersion },
  options: {
    force: flag('Pull it even if it is installed: verify it and bring it up to date'),
    concurrency: { type: 'number', describe: 'How many chunks to fetch at once, from 1 to 16 [4]' },
    worker: texts('A session of a worker that may have it as well: a token or @FILE; several fetch from all at once', {
      completes: 'workers',
    }),
    ...priorityOption,
    ...registryOption,
  },
  examples: [
    ['$0 pull fast-whisper/tiny fp16', 'install a model'],
    ['$0 pull fast-whisper/tiny latest --worker @session.txt', 'from the registry and a worker at once'],
  ],
  async run(context, { model, modelVersion: version, force, concurrency, worker, registry, trustKey, ...how }) {
    const manager = await context.manager(registry, trustKey);
    const ref = { ...parseNameRef(model), version };
    const view = new PullView(context);
    try {
      const workers = await context.sessions([...(worker ?? [])]);
      const onProgress = view.show.bind(view);
      const priority = priorityOf(how.priority);
      const result = await manager.pull(ref, {
        force,
        concurrency,
        workers,
        priority,
        onProgress,
        signal: context.signal,
      });
      view.end();
      context.result(result, installedText(result));
    } catch (error) {
      view.end();
      if (ModelRtcError.from(error).details?.kind !== 'already_installed') throw error;
      const installed = await manager.getInstalled(ref);
      const text = `Already installed: ${safe(model)} ${safe(version)}. Pass --force to verify it and bring it up to date.`;
      context.result(
        { outcome: 'already_installed', model: installed },
        `${text}\nPath: ${safe(installed?.path ?? '')}`,
      );
    }
  },
});

function installedText({ model: { group, model, version, size, path }, alias, sources }: PullResult): string {
  const lead = alias === undefined ? '' : ` (${alias})`;
  const from = sources.length < 2 ? [] : sources.map(({ name, bytes }) => `  ${formatBytes(bytes)} from ${safe(name)}`);
  const installed = `Model installed: ${safe(`${group}/${model} ${version}${lead}`)} (${formatBytes(size)})`;
  return [installed, ...from, `Path: ${safe(path)}`].join('\n');
}
