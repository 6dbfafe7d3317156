import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMachine, type Machine, type MachineOptions } from './machine.ts';
import { mountTmpfs } from './tmpfs.ts';

/** One place for everything that a test starts, mounts and writes, so that all of it goes when the test ends or fails. */
export interface Lab extends AsyncDisposable {
  /** An empty folder, outside the repository. */
  folder(): Promise<string>;
  /** A machine with its own registry, identity and settings. */
  machine(name: string, options?: MachineOptions): Promise<Machine>;
  /** A file system in memory that is full after so many bytes, or files and folders; needs root. */
  tmpfs(sizeBytes: number, maxFiles?: number): Promise<string>;
  /** Does something more at the end; the last registered is done first. */
  onEnd(action: () => Promise<unknown>): void;
}

export function createLab(): Lab {
  const endings: (() => Promise<unknown>)[] = [];
  const folder = async (): Promise<string> => {
    const path = await mkdtemp(join(tmpdir(), 'model-rtc-test-'));
    endings.push(() => rm(path, { recursive: true, force: true, maxRetries: 3 }));
    return path;
  };
  return {
    folder,
    machine: async (name, options = {}) => {
      const machine = createMachine(name, await folder(), options);
      endings.push(() => machine.stop());
      return machine;
    },
    tmpfs: async (sizeBytes, maxFiles) => {
      const mount = await mountTmpfs(await folder(), sizeBytes, maxFiles);
      endings.push(() => mount.unmount());
      return mount.path;
    },
    onEnd: (action) => void endings.push(action),
    [Symbol.asyncDispose]: () => endAll(endings),
  };
}

/** Every ending runs, also when one before it fails; the failures are told together. */
async function endAll(endings: (() => Promise<unknown>)[]): Promise<void> {
  const failures: unknown[] = [];
  for (let end = endings.pop(); end !== undefined; end = endings.pop()) {
    try {
      await end();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, 'The test left things that could not be cleared away');
}
