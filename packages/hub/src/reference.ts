import { hubOriginSchema, ModelRtcError } from '@model-rtc/protocol';
import type { HubReference } from './types.ts';

const PREFIX = 'hf:';
const { repo: repoSchema, revision: revisionSchema } = hubOriginSchema.shape;

/** Whether a person names a model of a hub: `hf:...`. */
export function isHubReference(text: string): boolean {
  return text.startsWith(PREFIX);
}

/** Parses `hf:ORG/NAME` or `hf:ORG/NAME@REV`. @throws ModelRtcError `bad_argument` */
export function parseHubReference(text: string): HubReference {
  const [name = '', ...rest] = text.slice(PREFIX.length).split('@');
  const revision = rest.length === 0 ? undefined : rest.join('@');
  const isRepo = repoSchema.safeParse(name).success;
  if (!isHubReference(text) || !isRepo) {
    throw badReference(text, 'Write it as hf:ORG/NAME or hf:ORG/NAME@REV, for example hf:Qwen/Qwen2.5-0.5B.');
  }
  if (revision !== undefined && !(revision !== '' && revisionSchema.safeParse(revision).success)) {
    throw badReference(text, 'After @ comes a branch, a tag or a commit, for example @main.');
  }
  return { repo: name, ...(revision === undefined ? {} : { revision }) };
}

/** The reference that names the repository at one commit, or at what a person asked for. */
export function hubReferenceText({ repo, revision }: HubReference): string {
  return `${PREFIX}${repo}${revision === undefined ? '' : `@${revision}`}`;
}

function badReference(text: string, hint: string): ModelRtcError {
  const sentence = `${JSON.stringify(text.slice(0, 200))} names no model of a hub. ${hint}`;
  return new ModelRtcError('bad_argument', sentence, { details: { ref: text.slice(0, 200) } });
}
