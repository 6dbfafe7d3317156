import { describe, expect, it } from '@jest/globals';
import type { RegistryEntry, ValidatedModel } from '@model-rtc/registry';
import type { RegistryFinding, RegistryReport } from '../../../../src/commands/client/validate/registry.ts';
import { registryError, renderRegistry } from '../../../../src/commands/client/validate/registry-text.ts';
import { notValid } from '../../../../src/commands/client/validate/run.ts';
import { renderValidated } from '../../../../src/commands/client/validate/text.ts';

const LONG = `Missing: ${'model.layers.0.self_attn.q_proj.weight, '.repeat(8)}and 20 more.`;

function validated(...results: ValidatedModel['results']): ValidatedModel {
  const entry = { id: '1a2b3c4d', alias: 'mouse' } as RegistryEntry;
  return { entry, results, isValid: results.every(({ outcome }) => outcome !== 'failed') };
}

describe('the results of a validation', () => {
  it('are a table with whole details, and a count of each outcome', () => {
    const text = renderValidated(
      validated(
        { check: 'files', outcome: 'passed', detail: '3 files.' },
        { check: 'config', outcome: 'failed', detail: LONG },
        { check: 'numbers', outcome: 'warning' },
        { check: 'forward', outcome: 'skipped', detail: 'No runner.' },
      ),
    );
    expect(text).toContain(LONG);
    expect(text).toMatch(/^files +passed +3 files\.$/m);
    expect(text).toMatch(/mouse.*: 1 failed, 1 passed, 1 warning, 1 skipped$/);
  });

  it('cannot bring escape sequences of a model to a terminal', () => {
    const text = renderValidated(validated({ check: 'config', outcome: 'failed', detail: 'Missing: \u001b[2Jx.' }));
    expect(text).not.toContain('\u001b');
  });

  it.each([
    ['checksums', 'repair-model mouse'],
    ['config', 'get the model again'],
  ])('end in advice for what failed: %s', (check, advice) => {
    const error = notValid(validated({ check, outcome: 'failed' }));
    expect(error).toMatchObject({ code: 'verification_failed', exitCode: 6 });
    expect(error.message).toContain(advice);
  });
});

describe('a report on the registry', () => {
  const finding = (outcome: RegistryFinding['outcome'], done?: string): RegistryFinding => {
    return { kind: 'entry-without-folder', name: '1a2b3c4d', problem: 'its folder is missing', outcome, done };
  };
  const report = (...findings: RegistryFinding[]): RegistryReport => ({ models: 3, findings, orphans: [] });

  it('says when all is right', () => {
    expect(renderRegistry(report())).toBe('3 models: registry and disk agree');
    expect(registryError(report(), false)).toBeUndefined();
  });

  it('says what was found and how to mend it, and after that what became of it', () => {
    expect(renderRegistry(report(finding('found')))).toMatch(/^entry without folder +1a2b3c4d +found +its folder/m);
    expect(registryError(report(finding('found')), false)?.message).toContain('validate --registry --fix');
    const mended = report(finding('mended', 'it was fetched again from lab'), finding('moved', 'it is in kept'));
    expect(renderRegistry(mended)).toMatch(/3 models: 2 mended$/);
    expect(registryError(mended, true)).toBeUndefined();
    expect(registryError(report(finding('marked', 'not repaired')), true)?.exitCode).toBe(6);
  });
});
