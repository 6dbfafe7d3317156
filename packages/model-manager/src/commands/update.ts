import { nameText, parseNameRef } from '../reference.ts';
import type { PullResult, UpdateCheck } from '../types.ts';
import { flag, priorityOf, priorityOption, registryOption, text } from './arguments.ts';
import { PullView } from './pull-view.ts';
import { safe, table } from './text.ts';
import { defineModelsCommand } from './types.ts';

export const update = defineModelsCommand({
  usage: 'update [model]',
  describe: 'Compare what is installed with the registry, and bring what is newer',
  positionals: { model: text('GROUP/MODEL; all when left out', { completes: 'releases' }) },
  options: {
    apply: flag('Install the updates; the old content is usable until the new one is whole'),
    ...priorityOption,
    ...registryOption,
  },
  examples: [
    ['$0 update', 'what is newer'],
    ['$0 update fast-whisper/tiny --apply', 'bring it'],
  ],
  async run(context, { model, apply, registry, trustKey, ...how }) {
    const { signal, program } = context;
    const manager = await context.manager(registry, trustKey);
    const checks = await manager.checkUpdate(model === undefined ? undefined : parseNameRef(model), { signal });
    const updates = checks.filter(({ state }) => state === 'update');
    const news = checks.filter(({ state }) => state !== 'current');
    const rows = news.map((check) => [nameText(check), check.version, changeText(check)]);
    const text = rows.length === 0 ? 'Everything is up to date.' : table(['MODEL', 'VERSION', 'CHANGE'], rows);
    if (!apply || updates.length === 0) {
      const hint =
        updates.length === 0
          ? ''
          : `\nInstall: ${program} update${model === undefined ? '' : ` ${safe(model)}`} --apply`;
      return context.result({ checks, applied: [] }, text + hint);
    }
    const priority = priorityOf(how.priority);
    const applied: PullResult[] = [];
    for (const check of updates) {
      const view = new PullView(context);
      const onProgress = view.show.bind(view);
      applied.push(await manager.pull(check, { force: true, priority, onProgress, signal }).finally(() => view.end()));
    }
    const lines = updates.map((check) => safe(`Updated ${nameText(check)} ${check.version}: ${changeText(check)}`));
    context.result({ checks, applied }, lines.join('\n'));
  },
});

function changeText({ state, isAlias, oldVersion, newVersion, oldHash, newHash }: UpdateCheck): string {
  if (state === 'gone') return 'no longer in the registry';
  if (isAlias) return `${oldVersion} -> ${newVersion}`;
  return `new content (${oldHash?.slice(0, 8)} -> ${newHash?.slice(0, 8)})`;
}
