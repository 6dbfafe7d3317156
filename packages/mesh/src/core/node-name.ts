import { ModelRtcError } from '@model-rtc/protocol';
import { MAX_NODE_NAME_CHARS } from './limits.ts';

/** A name that is safe in a terminal, a path and a reference. */
export const NODE_NAME = new RegExp(`^[A-Za-z0-9][A-Za-z0-9._-]{0,${MAX_NODE_NAME_CHARS - 1}}$`);

/** The nearest name that a node or mesh can have, made of any text. */
export function suggestNodeName(text: string): string {
  const kept = text
    .normalize('NFKD')
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, MAX_NODE_NAME_CHARS)
    .replace(/[-._]+$/, '');
  return kept === '' ? 'node' : kept;
}

export function isNodeName(text: string): boolean {
  return NODE_NAME.test(text);
}

/** @throws ModelRtcError `bad_argument` for a text that cannot be the name of a node or mesh, with one that can */
export function parseNodeName(text: string): string {
  if (NODE_NAME.test(text)) return text;
  throw new ModelRtcError(
    'bad_argument',
    `${JSON.stringify(text.slice(0, 80))} cannot be a name here: use 1 to ${MAX_NODE_NAME_CHARS} of A-Z, a-z, 0-9, ".", "_" and "-". Try "${suggestNodeName(text)}".`,
  );
}
