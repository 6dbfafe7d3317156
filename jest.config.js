const shared = {
  testEnvironment: 'node',
  // Tests run on the sources; the "import" condition must not be listed: jest adds it itself.
  testEnvironmentOptions: { customExportConditions: ['@model-rtc/source', 'node', 'node-addons'] },
  extensionsToTreatAsEsm: ['.ts'],
  moduleFileExtensions: ['ts', 'js', 'mjs', 'cjs', 'json', 'node'],
  transform: {
    '\\.ts$': ['@swc/jest', { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'es6' } }],
  },
  modulePathIgnorePatterns: ['/dist/'],
};

export default {
  // The limits are for a hung test, not for a slow machine.
  projects: [
    {
      ...shared,
      displayName: 'unit',
      testMatch: ['<rootDir>/packages/*/test/**/*.test.ts', '<rootDir>/test/repository/**/*.test.ts'],
      testTimeout: 60_000,
    },
    {
      ...shared,
      displayName: 'e2e',
      testMatch: ['<rootDir>/test/e2e/**/*.test.ts'],
      testTimeout: 300_000,
    },
  ],
};
