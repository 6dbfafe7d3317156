import type { Mesh, MeshHolder, MeshModel, MeshModelHolders, MeshOutcome } from '@model-rtc/mesh';
import { type Digest, ModelRtcError, type SessionToken } from '@model-rtc/protocol';
import { meshNode } from '../../../../test/support/mesh-node.ts';
import type { SwarmWorker } from './swarm-lab.ts';

/** A mesh in memory: a test says who has the model, and sees what came of asking. */
export class TestMesh implements Mesh {
  readonly name = 'lab';
  readonly id = 'e'.repeat(64);
  readonly selfKey = 'f'.repeat(64);
  readonly outcomes: [name: string, outcome: MeshOutcome][] = [];
  digest: Digest | undefined;
  /** Names of workers from which nobody agreed to fetch. */
  readonly withoutConsent = new Set<string>();
  /** Whether this machine's worker runs. */
  hasWorker = false;
  readonly #workers: readonly SwarmWorker[];
  readonly #listeners = new Set<() => void>();
  #holders: MeshHolder[] = [];

  constructor(workers: readonly SwarmWorker[]) {
    this.#workers = workers;
  }

  /** These workers have the model from now on. */
  has(digest: Digest, numbers: readonly number[], isWhole = true): void {
    this.digest = digest;
    this.#holders = [...this.#holders, ...numbers.map((number) => this.#holder(number, isWhole))];
    for (const listener of this.#listeners) listener();
  }

  async members() {
    return [];
  }

  async nodes() {
    const self = meshNode('self', { key: this.selfKey, isSelf: true, isPresent: this.hasWorker });
    return [self, ...this.#holders.map(({ node }) => node)];
  }

  async models() {
    return [];
  }

  async find(ref: string): Promise<MeshModelHolders> {
    if (this.digest === undefined) throw new ModelRtcError('not_found', `The mesh has no model "${ref}".`);
    return { digest: this.digest, names: ['mouse'], model: {} as MeshModel, holders: this.#holders };
  }

  async session(key: string): Promise<SessionToken> {
    const worker = this.#workers.find(({ token }) => keyOf(token) === key);
    if (worker === undefined) throw new ModelRtcError('not_found', 'No such member.');
    return worker.token;
  }

  async refresh(): Promise<void> {}

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async noteOutcome(key: string, outcome: MeshOutcome): Promise<void> {
    const worker = this.#workers.find(({ token }) => keyOf(token) === key);
    this.outcomes.push([worker?.name ?? key, outcome]);
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #holder(number: number, isWhole: boolean): MeshHolder {
    const { token, name } = this.#workers[number] as SwarmWorker;
    const hasConsent = !this.withoutConsent.has(name);
    const node = meshNode(name, { key: keyOf(token), urls: ['ws://lab'], hasConsent });
    return { node, isWhole, model: {} as MeshModel };
  }
}

function keyOf({ workerKey }: SessionToken): string {
  return Buffer.from(workerKey).toString('hex');
}
