import { describe, expect, it } from '@jest/globals';
import { importProblem } from './arrow-rules.ts';

describe('importProblem', () => {
  it.each([
    ['packages/registry/src/index.ts', './import/scan.ts'],
    ['packages/registry/src/import/scan.ts', '../locks.ts'],
    ['packages/registry/src/index.ts', '@model-rtc/protocol'],
    ['packages/registry/src/index.ts', 'node:fs'],
    ['packages/cli/src/main.ts', '@model-rtc/client'],
    ['packages/protocol/src/codec.ts', 'msgpackr'],
    ['packages/protocol/test/codec.test.ts', 'node:fs/promises'],
    ['packages/registry/test/locks.test.ts', '../src/locks.ts'],
    ['packages/registry/test/locks.test.ts', '@model-rtc/registry'],
    ['packages/registry/test/locks.test.ts', '../../../test/support/files.ts'],
  ])('lets %s import %s', (file, specifier) => {
    expect(importProblem(file, specifier)).toBeUndefined();
  });

  it.each([
    ['packages/registry/src/index.ts', '@model-rtc/transfer', 'does not come before registry'],
    ['packages/registry/src/index.ts', '@model-rtc/registry', 'does not come before registry'],
    ['packages/client/src/index.ts', 'model-rtc', 'does not come before client'],
    ['packages/registry/test/locks.test.ts', '@model-rtc/client', 'does not come before registry'],
    ['packages/client/src/index.ts', '@model-rtc/registry/src/locks.ts', 'only @model-rtc/registry itself is public'],
    ['packages/client/src/index.ts', '@model-rtc/registry/dist/locks.js', 'only @model-rtc/registry itself is public'],
    ['packages/client/src/index.ts', '../../registry/src/locks.ts', 'another package is imported by its name'],
    ['packages/client/src/index.ts', '../test/helper.ts', 'another package is imported by its name'],
    ['packages/client/test/pull.test.ts', '../../registry/src/locks.ts', 'another package is imported by its name'],
    ['packages/protocol/src/codec.ts', 'node:buffer', 'also runs in a browser'],
    ['packages/protocol/src/codec.ts', 'fs/promises', 'also runs in a browser'],
  ])('refuses that %s imports %s', (file, specifier, problem) => {
    expect(importProblem(file, specifier)).toContain(problem);
  });
});
