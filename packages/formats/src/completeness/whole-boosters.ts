import { isLightgbm, readLightgbm } from '../boosters/lightgbm.ts';
import { readXgboost, xgboostKind } from '../boosters/xgboost.ts';
import { EndsEarlyError } from '../bytes/structure-error.ts';
import type { ByteReader } from '../types.ts';
import { byExtension } from './by-extension.ts';
import { cutOff } from './sizes.ts';
import type { FileCheck, FoundFlaw } from './types.ts';

/** Models of XGBoost, in JSON and in universal binary JSON: both say where they end. */
export const wholeXgboost: FileCheck = {
  matches: byExtension('.json', '.ubj', '.model', '.xgb'),
  async check(reader) {
    for (const name of ['m.json', 'm.ubj']) {
      const kind = await xgboostKind(reader, name);
      if (kind !== undefined) return await unlessCut(reader, readXgboost(reader, kind), 'its last values are missing');
    }
    return undefined;
  },
};

/** A model of LightGBM says how long its trees are, and marks where they and its settings end. */
export const wholeLightgbm: FileCheck = {
  matches: byExtension('.txt', '.model', '.lgb', '.lgbm'),
  async check(reader) {
    if (!(await isLightgbm(reader))) return undefined;
    return await unlessCut(reader, readLightgbm(reader), 'the end of its trees or of its settings is missing');
  },
};

async function unlessCut(reader: ByteReader, reading: Promise<unknown>, what: string): Promise<FoundFlaw | undefined> {
  try {
    await reading;
    return undefined;
  } catch (error) {
    if (error instanceof EndsEarlyError) return cutOff(reader.size, what);
    throw error;
  }
}
