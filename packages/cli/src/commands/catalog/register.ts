import { type CatalogModel, ModelRtcError } from '@model-rtc/protocol';
import { defineCommand, requiredText, textOption } from '../../command-line/types.ts';
import { printable } from '../../console/format.ts';
import { catalogOptions } from './options.ts';
import { openCatalog } from './source.ts';

export const registerModel = defineCommand({
  usage: 'register <id>',
  describe: 'Enter a model into the catalog before it is here; nothing is fetched',
  positionals: {
    id: requiredText('What the catalog calls it from now on, such as Qwen/Qwen2.5-0.5B'),
  },
  options: {
    name: textOption('A name for people [the id]'),
    repo: requiredText('Its repository on a hub: ORG/NAME, or ORG/NAME@REV for a version'),
    architecture: textOption('Its kind, such as qwen2'),
    ...catalogOptions,
  },
  examples: [
    [
      '$0 catalog register Qwen/Qwen2.5-0.5B --name "Qwen 0.5B" --repo Qwen/Qwen2.5-0.5B --architecture qwen2',
      'plan it',
    ],
    ['$0 catalog fetch Qwen/Qwen2.5-0.5B', 'and fetch it later'],
  ],
  async run(context, { id, name = id, repo: given, architecture, ...options }) {
    const { repo, revision } = await parseRepo(given);
    await using source = await openCatalog(context, options);
    const model = await source.register({ id, name, repo, revision, architecture });
    context.output.result({ model }, registeredText(model));
  },
});

/** `ORG/NAME`, `ORG/NAME@REV`, or either with `hf:` before it. @throws ModelRtcError `bad_argument` */
async function parseRepo(text: string): Promise<{ readonly repo: string; readonly revision?: string | undefined }> {
  const { isHubReference, parseHubReference } = await import('@model-rtc/hub');
  try {
    return parseHubReference(isHubReference(text) ? text : `hf:${text}`);
  } catch (thrown) {
    const sentence = '--repo takes ORG/NAME or ORG/NAME@REV, for example Qwen/Qwen2.5-0.5B.';
    throw ModelRtcError.because(thrown, 'bad_argument', sentence);
  }
}

function registeredText({ id, downloaded, metadata: { repo, revision } }: CatalogModel): string {
  const from = printable(`${repo ?? ''}${revision === undefined ? '' : `@${revision}`}`);
  return `Registered ${printable(id)}: ${from}, ${downloaded ? 'which is there already' : 'not downloaded'}`;
}
