/** Steps to undo, run last first; one that fails does not keep the others from running. */
export class Cleanup {
  readonly #steps: (() => unknown)[] = [];
  #running: Promise<void> | undefined;

  add(step: () => unknown): void {
    this.#steps.push(step);
  }

  /** Runs what was added. Further calls wait for the same. */
  run(): Promise<void> {
    this.#running ??= this.#undo();
    return this.#running;
  }

  async #undo(): Promise<void> {
    for (const step of this.#steps.reverse()) {
      try {
        await step();
      } catch {
        // The rest must be released whatever this one says; the process or the caller is ending it anyway.
      }
    }
  }
}
