/** Steps to undo, run last first; one that fails does not keep the others from running. */
export class Cleanup {
  #steps: (() => unknown)[] = [];

  add(step: () => unknown): void {
    this.#steps.push(step);
  }

  /** Runs what was added and not yet run. Further calls find nothing to do. */
  async run(): Promise<void> {
    const steps = this.#steps.reverse();
    this.#steps = [];
    for (const step of steps) {
      try {
        await step();
      } catch {
        // The rest must be released whatever this one says; the process or the caller is ending it anyway.
      }
    }
  }
}
