import { formatBytes, ModelRtcError, type ProgressEvent, parseBytes } from '@model-rtc/protocol';
import type { PublishProgress } from '@model-rtc/static-registry';
import { nameText, parseNameRef } from '../reference.ts';
import { flag, priorityOf, priorityOption, required, text, texts } from './arguments.ts';
import { ProgressLine, progressText } from './progress-line.ts';
import { count, safe } from './text.ts';
import { defineModelsCommand, type ModelsContext } from './types.ts';

export const publish = defineModelsCommand({
  usage: 'publish <ref> <model> <model-version>',
  describe: 'Publish a model of this machine to a registry: a folder or a bucket',
  positionals: {
    ref: required('The model: an id, an alias or a name', { completes: 'models' }),
    model: required('GROUP/MODEL, as readers will call it', { completes: 'listed-releases' }),
    'model-version': required('The version, such as 1.0 or fp16'),
  },
  options: {
    to: text('The registry: a folder, which is made when it is not there, or s3://BUCKET/PREFIX', {
      completes: 'folders',
    }),
    's3-endpoint': text("The address of an S3 store [AWS, or the environment's or the profile's endpoint]"),
    'single-publisher': flag(
      'For S3 stores that do not write on a condition: make sure yourself that nobody else publishes meanwhile',
    ),
    alias: text('Another name for this version, such as latest, that moves to it'),
    'chunk-size': text('The size of a chunk, from 64KB to 64MB [10MB]'),
    metadata: texts('KEY=VALUE, shown to readers; may be repeated'),
    replace: flag('Put this content in the place of another one that has this version'),
    sign: flag("Sign the list of models with this machine's key, which models key shows"),
    'sign-key': texts('Sign with the Ed25519 key in this file, 64 hex characters or PEM; may be repeated', {
      completes: 'files',
    }),
    'trust-key': texts('The key of another publisher of this registry, or @FILE; may be repeated', {
      env: 'MODEL_RTC_TRUST_KEY',
    }),
    adopt: flag('Sign what is in the registry already, after you looked at it, although none of these keys signed it'),
    ...priorityOption,
    prune: flag('Then remove files that no version names and that are older than a week'),
  },
  examples: [
    [
      '$0 publish good-mouse-v1 mice/good-mouse 1.0 --to /srv/models --alias latest',
      'publish a version, and make it the latest',
    ],
    ['$0 publish good-mouse-v1 mice/good-mouse 1.0 --to s3://my-models/registry', 'publish to a bucket'],
    ['$0 publish good-mouse-v1 mice/good-mouse 1.0 --to /srv/models --sign', 'sign it for readers who pinned your key'],
  ],
  async run(context, { ref, model, modelVersion, to, alias, chunkSize, metadata, replace, prune, ...given }) {
    if (to === undefined)
      throw new ModelRtcError(
        'bad_argument',
        'Publish to which registry? Pass --to FOLDER, or --to s3://BUCKET/PREFIX.',
      );
    const s3 = { endpoint: given.s3Endpoint, singlePublisher: given.singlePublisher };
    const manager = await context.manager(undefined);
    const line = new ProgressLine(context);
    const isShown = !context.json && !context.quiet;
    context.events?.begin();
    const startedAt = performance.now();
    try {
      const published = await manager.publish(
        ref,
        { ...parseNameRef(model), version: modelVersion },
        {
          ...{ to, s3, alias, replace, priority: priorityOf(given.priority), signal: context.signal },
          ...(await signingOptions(given, context)),
          chunkBytes: chunkSize === undefined ? undefined : chunkBytesOf(chunkSize),
          metadata: Object.fromEntries([...(metadata ?? [])].map(pairOf)),
          onProgress: (progress) => {
            const { doneBytes, totalBytes } = progress;
            context.events?.tell(eventOf(progress, performance.now() - startedAt));
            if (isShown) line.draw(`Publishing: ${progressText(doneBytes, totalBytes)}`);
          },
        },
      );
      line.end();
      const pruned = prune ? await manager.pruneRegistry(to, { s3, signal: context.signal }) : undefined;
      const name = safe(`${nameText(published.version)} ${modelVersion}`);
      const lines = [
        published.isNew
          ? `Published: ${name} (${formatBytes(published.totalBytes)} in ${count(published.chunkCount, 'chunk')}, ${formatBytes(published.reusedBytes)} there already)`
          : `Already published: ${name}`,
        `Registry: ${safe(published.to)}`,
        ...published.signatures.map(({ key, sequence }) => `Signed: number ${sequence}, by ${key}`),
        ...(pruned === undefined
          ? []
          : [`Removed ${count(pruned.removedFiles, 'file')}: ${formatBytes(pruned.removedBytes)} freed.`]),
      ];
      context.result({ ...published, ...(pruned === undefined ? {} : { pruned }) }, lines.join('\n'));
    } finally {
      line.end();
    }
  },
});

interface SigningValues {
  readonly sign: boolean;
  readonly signKey: Iterable<string> | undefined;
  readonly trustKey: Iterable<string> | undefined;
  readonly adopt: boolean;
}

/** The keys of the environment are those of registries that are read: they count only where the list is signed. */
async function signingOptions({ sign, signKey, trustKey, adopt }: SigningValues, { env }: ModelsContext) {
  const signKeyFiles = [...(signKey ?? [])];
  const isSigned = sign || signKeyFiles.length > 0;
  const { givenPublicKeys } = await import('@model-rtc/static-registry');
  const trustKeys = await givenPublicKeys(trustKey, isSigned ? env : {});
  return { sign, signKeyFiles, adopt, trustKeys };
}

function eventOf({ doneBytes, totalBytes, reusedBytes }: PublishProgress, passedMs: number): ProgressEvent {
  const transferredBytes = doneBytes - reusedBytes;
  const bytesPerSecond = passedMs > 0 ? Math.round((transferredBytes * 1000) / passedMs) : 0;
  const secondsLeft = bytesPerSecond === 0 ? null : Math.ceil((totalBytes - doneBytes) / bytesPerSecond);
  return {
    ...{ event: 'progress', state: 'transferring', doneBytes, totalBytes, bytesPerSecond, secondsLeft, lanes: [] },
    ...{ transferredBytes, reusedBytes, resumedBytes: 0, wastedBytes: 0 },
  };
}

function pairOf(text: string): [string, string] {
  const at = text.indexOf('=');
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
  throw new ModelRtcError('bad_argument', `"${text}" is no metadata. Write --metadata KEY=VALUE.`);
}

function chunkBytesOf(text: string): number {
  const bytes = parseBytes(text);
  if (bytes !== undefined) return bytes;
  throw new ModelRtcError('bad_argument', `"${text}" is no size of a chunk. Write it as 10MB or 4MiB.`);
}
