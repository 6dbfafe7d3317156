import asyncHooks from 'node:async_hooks';
import { TestEnvironment } from 'jest-environment-node';
import { compileOnce } from './joined/compile-once.js';
import { EVALUATE } from './joined/places.js';
import { evaluator, inSources } from './joined/run-script.js';

const { AsyncLocalStorage } = asyncHooks;
/** Node's own limit. */
const STACK_LIMIT = 10;

compileOnce();

/**
 * Jest's environment for Node, in which tests find the sources as one script (docs/decisions/joined-sources.md). It also
 * switches off what jest-circus leaves behind: each test file gets an AsyncLocalStorage that stays active for ever, and every
 * promise of all later files in the same process pays for it.
 */
class NodeEnvironment extends TestEnvironment {
  #storages = [];

  constructor(...args) {
    super(...args);
    this.global[Symbol.for(EVALUATE)] = evaluator(this);
    const storages = this.#storages;
    // jest-circus is loaded between here and its event `setup`.
    asyncHooks.AsyncLocalStorage = class extends AsyncLocalStorage {
      constructor(...options) {
        super(...options);
        storages.push(this);
      }
    };
  }

  async setup() {
    await super.setup();
    // Jest asks for 100 calls in each error's stack. Tests of hostile input make errors by the thousand.
    this.global.Error.stackTraceLimit = STACK_LIMIT;
    Error.stackTraceLimit = STACK_LIMIT;
  }

  handleTestEvent({ name, error }) {
    if (name === 'setup') asyncHooks.AsyncLocalStorage = AsyncLocalStorage;
    // An `error` alone may be a rejection that is handled a moment later.
    if (!name.endsWith('_failure')) return;
    for (let failed = error; typeof failed?.stack === 'string'; failed = failed.cause) {
      failed.stack = inSources(failed.stack);
    }
  }

  async teardown() {
    asyncHooks.AsyncLocalStorage = AsyncLocalStorage;
    for (const storage of this.#storages) storage.disable();
    await super.teardown();
  }
}

// biome-ignore lint/style/noDefaultExport: it is how jest finds it
export default NodeEnvironment;
