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
/** Tests that move whole models, start many servers, bundle or try many inputs, for seconds: for the same reason they run with the whole-system tests. */
const LONG_TESTS = [
  'packages/bridge/test/hugging-face/hub.test.ts',
  'packages/bridge/test/oci/ollama.test.ts',
  'packages/bridge/test/openai/models.test.ts',
  'packages/cli/test/layouts/layouts.test.ts',
  'packages/client/test/data/transfer-records.test.ts',
  'packages/client/test/hub/shared-files.test.ts',
  'packages/client/test/hub/take-from-hub.test.ts',
  'packages/client/test/mesh/mesh-provider.test.ts',
  'packages/client/test/names.test.ts',
  'packages/client/test/provider/contents.test.ts',
  'packages/client/test/provider/hub-pull.test.ts',
  'packages/client/test/provider/hub-push.test.ts',
  'packages/client/test/provider/providers.test.ts',
  'packages/client/test/provider/static.test.ts',
  'packages/client/test/provider/swarm.test.ts',
  'packages/client/test/pull-model.test.ts',
  'packages/client/test/push-model.test.ts',
  'packages/client/test/repair-model.test.ts',
  'packages/formats/test/code/scan-content.test.ts',
  'packages/model-manager/test/commands.test.ts',
  'packages/model-manager/test/model-manager.test.ts',
  'packages/model-manager/test/publish.test.ts',
  'packages/protocol/test/usual-parts.test.ts',
  'packages/registry/test/archive/archives.test.ts',
  'packages/registry/test/archive/hostile-archives.test.ts',
  'packages/registry/test/export/export-to-tool.test.ts',
  'packages/registry/test/hash/hash-files.test.ts',
  'packages/registry/test/inspect/reading-thread.test.ts',
  'packages/signaling/test/server/relay/relay.test.ts',
  'packages/static-registry/test/s3/publish-to-bucket.test.ts',
  'packages/static-registry/test/s3/s3-target.test.ts',
  'packages/static-registry/test/sign/signed-registry.test.ts',
  'packages/transfer/test/core/schedule/swarm.test.ts',
  'packages/transfer/test/live-sources.test.ts',
  'packages/transfer/test/node/disk/folder-disk.test.ts',
  'packages/transfer/test/stall.test.ts',
  'packages/transport/test/lanes/direct/direct-lane.test.ts',
  'packages/transport/test/lanes/relay/relay-lane.test.ts',
  'packages/worker/test/watch/slow-training.test.ts',
  'packages/worker/test/watch/watch-folders.test.ts',
  'test/repository/browser-bundles.test.ts',
  'test/repository/command-start.test.ts',
];

/** Tests that take a minute and more each: `npm run test:long` runs them with all others. */
const NOT_NOW = process.env.MODEL_RTC_LONG_TESTS === '1' ? [] : ['\\.long\\.test\\.ts$'];

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
      testPathIgnorePatterns: ['/node_modules/', ...NOT_NOW],
      setupFilesAfterEnv: ['<rootDir>/test/support/second-try.ts'],
    },
  ],
};
