import makeMdns from 'multicast-dns';
import { SERVICE } from './records.ts';
import type { LanInterface, MdnsEvents, MdnsSocket } from './types.ts';

/** The link-local groups of mDNS. Source: RFC 6762, section 3. */
const GROUP = { 4: '224.0.0.251', 6: 'ff02::fb' } as const;

const CLOSE_AFTER_MS = 50;

/**
 * Opens a multicast DNS socket on one interface. Each interface needs its own: a socket sends multicast out of one
 * only, and a machine with cable, radio and a virtual bridge has to be found on all of them.
 */
export function openMulticastSocket(on: LanInterface, events: MdnsEvents): MdnsSocket {
  const [address = ''] = on.addresses;
  const mdns = makeMdns({
    type: on.family === 4 ? 'udp4' : 'udp6',
    ip: GROUP[on.family],
    interface: on.family === 4 ? address : `::%${on.name}`,
    // Bound to the interface's own address, a socket would hear no multicast.
    bind: on.family === 4 ? '0.0.0.0' : '::',
    reuseAddr: true,
  });
  mdns.on('packet', (packet, { address: sender }) => {
    const answers = [...(packet.answers ?? []), ...(packet.additionals ?? [])].map(withTexts);
    events.packet({ type: packet.type, questions: packet.questions ?? [], answers }, sender);
  });
  mdns.on('error', (error) => events.failed(error));
  mdns.on('warning', (error) => events.failed(error));
  return {
    send: ({ type, answers }) => {
      const sent = (error: Error | null) => (error == null ? undefined : events.failed(error));
      if (type === 'query') mdns.query({ questions: [{ name: SERVICE, type: 'PTR' }], answers: [...answers] }, sent);
      else mdns.respond({ answers: [...answers] }, sent);
    },
    // What was sent last, a goodbye, is on its way only after a moment.
    close: () => void setTimeout(() => mdns.destroy(), CLOSE_AFTER_MS),
  };
}

/** Texts of a TXT record come as bytes. */
function withTexts<T extends { readonly type: string }>(record: T): T & { data?: unknown } {
  if (record.type !== 'TXT' || !('data' in record) || !Array.isArray(record.data)) return record;
  return { ...record, data: record.data.map((text) => (Buffer.isBuffer(text) ? text.toString('latin1') : '')) };
}
