import type { HubModel } from '@model-rtc/hub';
import { ModelRtcError } from '@model-rtc/protocol';
import type { Registry, RegistryEntry } from '@model-rtc/registry';
import type { LicenseToAccept, TakeOptions } from './types.ts';

/** What an entry has room for. */
const MAX_TEXT_CHARS = 200;
/** For a license that nobody named, so that a person is not asked twice for it. */
const NONE = 'none named';

/** The license of a model, with the page to read it on. */
export function licenseOf({
  repo,
  endpoint,
  license,
}: Pick<HubModel, 'repo' | 'endpoint' | 'license'>): LicenseToAccept {
  const { id, name, link } = license ?? {};
  const text = (id === 'other' || id === undefined ? (name ?? id) : id)?.slice(0, MAX_TEXT_CHARS);
  const page = `${endpoint}/${repo}`;
  return { ...license, repo, text, page: pageOf(link, page) };
}

/** A link to another site or to a file of the repository; anything else is not shown. */
function pageOf(link: string | undefined, page: string): string {
  if (link === undefined) return page;
  if (/^https?:\/\//i.test(link)) return URL.canParse(link) ? new URL(link).href : page;
  return /^[\w][\w./-]*$/.test(link) && !link.includes('..') ? `${page}/blob/main/${link}` : page;
}

/**
 * Has the license accepted, unless a person of this machine accepted the same one for another version of the repository.
 * @returns what the entry keeps of it
 * @throws ModelRtcError `refused` when it is not accepted
 */
export async function settleLicense(
  registry: Pick<Registry, 'fromHub'>,
  license: LicenseToAccept,
  { acceptLicense: accept, now = () => new Date() }: Pick<TakeOptions, 'acceptLicense' | 'now'>,
): Promise<NonNullable<RegistryEntry['licenseAccepted']>> {
  const text = license.text ?? NONE;
  const before = (await registry.fromHub(license.repo)).find(
    ({ licenseAccepted }) => licenseAccepted?.license === text,
  );
  if (before?.licenseAccepted !== undefined) return before.licenseAccepted;
  if (accept === true || (await accept(license))) return { license: text, at: now().toISOString() };
  const sentence = `The license of ${license.repo} was not accepted, so nothing was fetched.`;
  throw new ModelRtcError('refused', sentence, { details: { repo: license.repo, license: text } });
}
