import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';

const LEARNER = {
  attributes: {},
  gradient_booster: { model: { trees: [{ base_weights: [0.5, -0.2], id: 0 }] }, name: 'gbtree' },
  learner_model_param: { num_feature: '2' },
  objective: { name: 'reg:squarederror' },
};

/** A small model as XGBoost saves it in JSON. */
export const XGBOOST_JSON = utf8ToBytes(JSON.stringify({ learner: LEARNER, version: [2, 0, 3] }));

/** The same in universal binary JSON, with numbers in a typed array as XGBoost writes them. */
export const XGBOOST_UBJSON = ubjson({ learner: LEARNER, version: [2, 0, 3] });

const TREE = 'Tree=0\nnum_leaves=2\nleaf_value=-0.2 0.3\n\n\n';

/** A small model as LightGBM saves it. */
export const LIGHTGBM = utf8ToBytes(
  `tree\nversion=v4\nnum_class=1\nmax_feature_idx=1\nobjective=regression\ntree_sizes=${TREE.length}\n\n${TREE}end of trees\n\nfeature_importances:\na=1\n\nparameters:\n[boosting: gbdt]\nend of parameters\n\npandas_categorical:null\n`,
);

function long(value: number): Uint8Array {
  const bytes = new Uint8Array(9);
  bytes[0] = 0x4c;
  new DataView(bytes.buffer).setBigInt64(1, BigInt(value));
  return bytes;
}

function text(value: string): Uint8Array {
  const bytes = utf8ToBytes(value);
  return concatBytes(long(bytes.length), bytes);
}

function ubjson(value: unknown): Uint8Array {
  if (typeof value === 'string') return concatBytes(utf8ToBytes('S'), text(value));
  if (typeof value === 'number') return long(value);
  if (!Array.isArray(value)) {
    const items = Object.entries(value as object).map(([key, item]) => concatBytes(text(key), ubjson(item)));
    return concatBytes(utf8ToBytes('{'), ...items, utf8ToBytes('}'));
  }
  if (value.some((item) => !Number.isInteger(item) && typeof item === 'number')) {
    const numbers = new DataView(new ArrayBuffer(4 * value.length));
    for (const [i, item] of value.entries()) numbers.setFloat32(4 * i, item as number);
    return concatBytes(utf8ToBytes('[$d#'), long(value.length), new Uint8Array(numbers.buffer));
  }
  return concatBytes(utf8ToBytes('['), ...value.map(ubjson), utf8ToBytes(']'));
}
