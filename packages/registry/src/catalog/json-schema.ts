import { catalogSchema } from '@model-rtc/protocol';
import * as z from 'zod';

/** The schema of catalogs as JSON Schema. Readers pass over fields that they do not know, so it allows them. */
export function catalogJsonSchema(): object {
  return z.toJSONSchema(catalogSchema, { io: 'input' });
}
