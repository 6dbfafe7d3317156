import { fileOf, type Log, ModelRtcError } from '@model-rtc/protocol';
import type { LeftOut, LeftOutKind } from '@model-rtc/registry';

/** What is left out of one folder. Each cause is said once, until it is gone and comes back. */
export class LeftOutList {
  readonly #log: Log;
  #searched: readonly LeftOut[] = [];
  /** By the path of the place. */
  readonly #places = new Map<string, LeftOut>();
  readonly #said = new Set<string>();

  constructor(log: Log) {
    this.#log = log;
  }

  get all(): readonly LeftOut[] {
    return [...this.#searched, ...this.#places.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  /** What a full search of the folder left out, in place of what the one before did. */
  noteSearch(leftOut: readonly LeftOut[]): void {
    this.#searched = leftOut;
    this.#forgetOthers();
    for (const each of leftOut) this.#say(each);
  }

  notePlace(place: string, leftOut: LeftOut): void {
    this.#places.set(place, leftOut);
    this.#say(leftOut);
  }

  /** The place is registered now, or gone. */
  clearPlace(place: string): void {
    if (this.#places.delete(place)) this.#forgetOthers();
  }

  hasPlace(place: string): boolean {
    return this.#places.has(place);
  }

  #say(leftOut: LeftOut): void {
    // By its kind: how many bytes are missing changes while a file is copied.
    const cause = causeOf(leftOut);
    if (this.#said.has(cause)) return;
    this.#said.add(cause);
    const { path, kind, reason } = leftOut;
    this.#log.warn({ path, kind }, `left out ${path}: ${reason}`);
  }

  #forgetOthers(): void {
    const current = new Set(this.all.map(causeOf));
    for (const cause of this.#said) if (!current.has(cause)) this.#said.delete(cause);
  }
}

function causeOf({ path, kind }: LeftOut): string {
  return `${kind} ${path}`;
}

/** Flaws that a message lists. */
const MAX_LISTED = 3;

/** Why a found model was not registered; undefined when it only has to be tried again. */
export function leftOutBecause(path: string, error: unknown): LeftOut | undefined {
  const known = ModelRtcError.from(error);
  const flaws = flawsOf(known);
  if (flaws.length > 0) {
    const kind = flaws.every((flaw) => flaw.kind === 'damaged') ? 'damaged' : 'incomplete';
    const listed = flaws.slice(0, MAX_LISTED).map((flaw) => `${flaw.path} ${flaw.problem}`);
    const more = flaws.length > MAX_LISTED ? `; and ${flaws.length - MAX_LISTED} more` : '';
    return { path, kind, reason: `it is not whole: ${listed.join('; ')}${more}` };
  }
  const kind = kindOf(known);
  if (kind === undefined) return undefined;
  return {
    path: kind === 'outside' || kind === 'unreadable' ? (fileOf(known) ?? path) : path,
    kind,
    reason: known.message,
  };
}

function kindOf(error: ModelRtcError): LeftOutKind | undefined {
  if (error.details?.reason === 'no_links') return 'no_links';
  if (error.code === 'refused') return 'outside';
  if (error.code === 'storage') return 'unreadable';
  return error.has('unusable_files') ? 'invalid' : undefined;
}

interface Flaw {
  readonly kind: string;
  readonly path: string;
  readonly problem: string;
}

function flawsOf({ details }: ModelRtcError): readonly Flaw[] {
  return Array.isArray(details?.incomplete) ? (details.incomplete as Flaw[]) : [];
}
