import asyncHooks from 'node:async_hooks';
import { TestEnvironment } from 'jest-environment-node';

const { AsyncLocalStorage } = asyncHooks;

/**
 * Jest's environment for Node, which switches off what jest-circus leaves behind. Each test file gets an AsyncLocalStorage
 * that stays active for ever, and every promise of all later files in the same process pays for it.
 */
class NodeEnvironment extends TestEnvironment {
  #storages = [];

  constructor(...args) {
    super(...args);
    const storages = this.#storages;
    // jest-circus is loaded between here and its event `setup`.
    asyncHooks.AsyncLocalStorage = class extends AsyncLocalStorage {
      constructor(...options) {
        super(...options);
        storages.push(this);
      }
    };
  }

  handleTestEvent({ name }) {
    if (name === 'setup') asyncHooks.AsyncLocalStorage = AsyncLocalStorage;
  }

  async teardown() {
    asyncHooks.AsyncLocalStorage = AsyncLocalStorage;
    for (const storage of this.#storages) storage.disable();
    await super.teardown();
  }
}

// biome-ignore lint/style/noDefaultExport: it is how jest finds it
export default NodeEnvironment;
