const shared = {
  testEnvironment: '<rootDir>/test/support/node-environment.js',
  // Tests run on the sources; the "import" condition must not be listed: jest adds it itself.
  testEnvironmentOptions: { customExportConditions: ['@model-rtc/source', 'node', 'node-addons'] },
  extensionsToTreatAsEsm: ['.ts'],
  moduleFileExtensions: ['ts', 'js', 'mjs', 'cjs', 'json', 'node'],
  transform: {
    '\\.ts$': ['@swc/jest', { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'es6' } }],
  },
  modulePathIgnorePatterns: ['/dist/'],
};

/** Unit tests that start processes and take long: they run with the whole-system tests, so that `npm test` stays short. */
const PROCESS_TESTS = 'packages/*/test/**/*.process.test.ts';
/** Unit tests that take five seconds and more: for the same reason they run with the whole-system tests. */
const LONG_TESTS = [
  'packages/cli/test/layouts/layouts.test.ts',
  'packages/client/test/provider/contents.test.ts',
  'packages/client/test/provider/static.test.ts',
  'packages/client/test/provider/swarm.test.ts',
  'packages/client/test/pull-model.test.ts',
  'packages/model-manager/test/model-manager.test.ts',
  'packages/registry/test/inspect/reading-thread.test.ts',
  'packages/transport/test/lanes/direct/direct-lane.test.ts',
];

export default {
  // For a hung test, not for a slow machine. Jest takes it from here or its command line only, not from a project.
  testTimeout: 60_000,
  // Node 20 keeps some 8 MB of each test file's modules. A process that has grown is replaced, and gets the time to end.
  workerIdleMemoryLimit: '600MB',
  workerGracefulExitTimeout: 10_000,
  testSequencer: './test/support/slowest-first.js',
  projects: [
    {
      ...shared,
      displayName: 'unit',
      globalSetup: '<rootDir>/test/support/start-unit-tests.js',
      resolver: '<rootDir>/test/support/joined/resolver.js',
      testMatch: ['<rootDir>/packages/*/test/**/*.test.ts', '<rootDir>/test/repository/**/*.test.ts'],
      testPathIgnorePatterns: ['/node_modules/', '\\.process\\.test\\.ts$', ...LONG_TESTS],
    },
    {
      ...shared,
      displayName: 'e2e',
      testMatch: [
        '<rootDir>/test/e2e/**/*.test.ts',
        ...[PROCESS_TESTS, ...LONG_TESTS].map((test) => `<rootDir>/${test}`),
      ],
      setupFilesAfterEnv: ['<rootDir>/test/support/second-try.ts'],
    },
  ],
};
