import fc from 'fast-check';
import { ERROR_CODES, type ErrorCode, type Message } from '../../src/index.ts';

const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
/** Through JSON, since -0 is packed as 0. */
const plain = fc
  .jsonValue({ maxDepth: 3 })
  .map((value) => JSON.stringify(value))
  .filter((json) => !json.includes('__proto__'))
  .map((json) => JSON.parse(json) as unknown);
const error = fc.record(
  {
    code: fc.constantFrom(...(Object.keys(ERROR_CODES) as ErrorCode[])),
    message: fc.string({ unit: 'grapheme', maxLength: 200 }),
    details: fc.record({ ref: fc.string({ unit: 'grapheme' }), owner: plain }),
  },
  { requiredKeys: ['code', 'message'], noNullPrototype: true },
);

/** Any message that an agent may send. */
export const messageArbitrary: fc.Arbitrary<Message> = fc.oneof(
  fc.record(
    {
      type: fc.constant('hello' as const),
      protocol: fc.record({ major: fc.nat(), minor: fc.nat() }, { noNullPrototype: true }),
      agent: fc.record(
        {
          role: fc.constantFrom('worker' as const, 'client' as const),
          name: fc.string({ unit: 'grapheme', maxLength: 40 }),
          version: fc.string({ maxLength: 20 }),
        },
        { noNullPrototype: true },
      ),
      capabilities: fc.array(fc.string({ maxLength: 20 }), { maxLength: 5 }),
      limits: fc.record(
        {
          maxMessageBytes: fc.integer({ min: 65_536, max: 33_554_432 }),
          maxOpenRequests: fc.integer({ min: 1, max: 1024 }),
        },
        { noNullPrototype: true },
      ),
    },
    { noNullPrototype: true },
  ),
  fc.record(
    {
      type: fc.constant('request' as const),
      id: u32,
      method: fc.string({ minLength: 1, maxLength: 64 }),
      params: plain,
    },
    { noNullPrototype: true },
  ),
  fc.record({ type: fc.constant('reply' as const), id: u32, result: plain }, { noNullPrototype: true }),
  fc.record({ type: fc.constant('event' as const), id: u32, event: plain }, { noNullPrototype: true }),
  fc.record({ type: fc.constant('error' as const), id: u32, error }, { noNullPrototype: true }),
  fc.record({ type: fc.constant('cancel' as const), id: u32 }, { noNullPrototype: true }),
  fc.record({ type: fc.constantFrom('ping' as const, 'pong' as const), nonce: u32 }, { noNullPrototype: true }),
  fc.record({ type: fc.constant('bye' as const), error }, { requiredKeys: ['type'], noNullPrototype: true }),
);
