import { ModelRtcError } from '@model-rtc/protocol';
import { flag, registryOption, text } from './arguments.ts';
import { safe, table } from './text.ts';
import { defineModelsCommand } from './types.ts';

const { registry } = registryOption;

export const trust = defineModelsCommand({
  usage: 'trust [key]',
  describe: "Pin a publisher's key for a registry, or show the pinned ones",
  positionals: { key: text('The key, or @FILE; shows all pinned keys when left out') },
  options: { remove: flag('Forget the key'), registry },
  examples: [
    ['$0 trust 3b6a27bc... --registry https://models.example.org', 'take only what this publisher signed'],
    ['$0 trust', 'show all pinned keys'],
  ],
  async run(context, { key, remove, registry: url }) {
    const manager = await context.manager(url);
    if (key === undefined) {
      if (remove) throw new ModelRtcError('bad_argument', 'Remove which key? Name it: models trust KEY --remove');
      const pinned = await manager.pinnedKeys();
      const rows = pinned.flatMap((one) => one.keys.map((own) => [one.registry, own]));
      return context.result({ pinned }, rows.length === 0 ? 'No keys are pinned.' : table(['REGISTRY', 'KEY'], rows));
    }
    const { readPublicKeys } = await import('@model-rtc/static-registry');
    const [parsed = ''] = await readPublicKeys([key]);
    const now = await (remove ? manager.unpinKey(parsed) : manager.pinKey(parsed));
    const effect =
      now.keys.length === 0
        ? 'No key is pinned for it any more: every list is taken from there.'
        : `Only what ${now.keys.length === 1 ? 'this key' : `one of ${now.keys.length} keys`} signed is taken from there.`;
    context.result(now, `${remove ? 'Removed' : 'Pinned'} ${parsed} for ${safe(now.registry)}. ${effect}`);
  },
});
