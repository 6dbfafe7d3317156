import { describe, expect, it } from '@jest/globals';
import { decodePlans, encodePlans } from '../../src/catalog/plan-file.ts';

const plan = { id: 'org/m', name: 'm', repo: 'org/m', registeredAt: '2026-01-02T03:04:05.678Z' };

describe('the file of planned models', () => {
  it('is read as it was written', () => {
    const plans = new Map([[plan.id, plan]]);
    expect(decodePlans(encodePlans(plans), '/x')).toEqual(plans);
  });

  it('of an older version is read through each step', () => {
    const older = JSON.stringify({ version: 0, models: [plan] });
    const migrations = new Map([[0, ({ models }: Record<string, unknown>) => ({ planned: models })]]);
    expect(decodePlans(older, '/x', migrations).get('org/m')).toEqual(plan);
    expect(() => decodePlans(older, '/x')).toThrow('no version 0');
  });

  it('with one id twice is damaged', () => {
    const text = JSON.stringify({ version: 1, planned: [plan, plan] });
    expect(() => decodePlans(text, '/x')).toThrow('one id');
  });
});
