import { Counter, Gauge, Registry as Metrics } from 'prom-client';

/** What the bridge counts, for `/metrics`. */
export interface BridgeMetrics {
  readonly contentType: string;
  text(): Promise<string>;
  answered(api: string, status: number): void;
  sent(bytes: number): void;
  pulled(outcome: 'completed' | 'failed'): void;
}

export interface Gauges {
  readonly connections: () => number;
  readonly downloads: () => number;
  readonly pulls: () => number;
}

export function createMetrics({ connections, downloads, pulls }: Gauges): BridgeMetrics {
  const metrics = new Metrics();
  const registers = [metrics];
  const requests = new Counter({
    name: 'model_rtc_bridge_requests_total',
    help: 'Requests that were answered, by API and HTTP status.',
    labelNames: ['api', 'status'],
    registers,
  });
  const bytes = new Counter({
    name: 'model_rtc_bridge_sent_bytes_total',
    help: 'Bytes of model files that were sent.',
    registers,
  });
  const pullsEnded = new Counter({
    name: 'model_rtc_bridge_pulls_total',
    help: 'Models that were fetched because they were asked for, by outcome.',
    labelNames: ['outcome'],
    registers,
  });
  gauge('model_rtc_bridge_connections', 'Open connections.', connections);
  gauge('model_rtc_bridge_downloads', 'Files that are being sent.', downloads);
  gauge('model_rtc_bridge_pulls', 'Models that are being fetched.', pulls);

  function gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers,
      collect: function collect() {
        this.set(read());
      },
    });
  }

  return {
    contentType: metrics.contentType,
    text: () => metrics.metrics(),
    answered: (api, status) => requests.inc({ api, status: String(status) }),
    sent: (count) => bytes.inc(count),
    pulled: (outcome) => pullsEnded.inc({ outcome }),
  };
}
