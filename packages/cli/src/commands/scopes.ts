import { ModelRtcError, type Scope } from '@model-rtc/protocol';

/** Scopes as a person lists them: `read,write`. @throws ModelRtcError `bad_argument` */
export async function parseScopes(text: string): Promise<Scope[]> {
  const { SCOPES, scopeSchema } = await import('@model-rtc/protocol');
  const scopes = text.split(',').map((part) => {
    const parsed = scopeSchema.safeParse(part.trim());
    if (parsed.success) return parsed.data;
    throw new ModelRtcError(
      'bad_argument',
      `"${part.trim()}" is not a scope. Pass --scope a list of ${SCOPES.join(', ')}, such as read,write.`,
    );
  });
  return [...new Set(scopes)];
}
