import type { ProbeName } from '../gateways/plugins.ts';

export interface Places {
  /** How Kong calls this machine. */
  readonly here: string;
  /** The upstream's port there. */
  readonly upstream: number;
  /** The port by which Kong knows its stream listener, and the one behind it. */
  readonly stream: { readonly kongPort: number; readonly upstream: number } | null;
}

/** The entities that the matrix and the transcripts were first recorded with: a consumer with a key, a route with captures. */
export function probeConfig(plugin: ProbeName, places: Places, note?: string): object {
  const { here, upstream, stream } = places;
  const tcp = {
    name: 'tcpsvc',
    url: `tcp://${here}:${String(stream?.upstream ?? 1)}`,
    routes: [{ name: 'tcp-any', protocols: ['tcp'], destinations: [{ port: stream?.kongPort ?? 1 }] }],
  };
  return {
    _format_version: '3.0',
    services: [
      {
        id: 'a7f1a379-b027-50c7-9b3a-7061466f4f8f',
        name: 'local',
        url: `http://${here}:${String(upstream)}/base`,
        tags: ['t1', 't2'],
        routes: [
          {
            id: 'd5749d91-e4ee-58cf-a1b9-2117dfc1a1ca',
            name: 'cap-route',
            paths: ['~/cap/(?<item>[^/]+)/(\\d+)'],
            plugins: [{ name: 'key-auth' }],
          },
        ],
      },
      ...(stream === null ? [] : [tcp]),
    ],
    upstreams: [{ name: 'up1', targets: [{ target: `${here}:${String(upstream)}` }] }],
    consumers: [
      {
        id: 'b32379d9-3d28-5683-a79c-72139be6e34f',
        username: 'alice',
        custom_id: 'c-1',
        tags: ['vip'],
        keyauth_credentials: [{ key: 'alicekey' }],
      },
    ],
    plugins: [
      {
        name: plugin,
        protocols: ['http', 'https', 'tcp', 'tls'],
        config: note === undefined ? {} : { note },
      },
    ],
  };
}

export const recordedTarget = '/cap/th%20ing/42?foo=bar&foo=baz&flag&empty=&apikey=alicekey';
export const form = { type: 'application/x-www-form-urlencoded', body: 'name=John&age=42' };

/** The request of the recordings, as bytes (latin1). */
export function recordedRequest(given: { type: string; body: string } = form): string {
  return [
    `POST ${recordedTarget} HTTP/1.1`,
    'Host: api.example.test',
    `Content-Type: ${given.type}`,
    'x-multi: one',
    'x-multi: two',
    'User-Agent: probe/1',
    'Connection: keep-alive',
    `Content-Length: ${String(given.body.length)}`,
    '',
    given.body,
  ].join('\r\n');
}
