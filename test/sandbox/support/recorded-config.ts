/** The configuration that the transcripts were recorded with. */
export function recordedConfig(port: number, tcp?: { service: number; ports: number[] }): object {
  return {
    _format_version: '3.0',
    services: [
      {
        id: 'a7f1a379-b027-50c7-9b3a-7061466f4f8f',
        name: 'local',
        url: `http://127.0.0.1:${String(port)}/base`,
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
      ...(tcp === undefined
        ? []
        : [
            {
              id: '55d43ddc-72f6-5795-9dbe-4c5471c616cd',
              name: 'tcpsvc',
              url: `tcp://127.0.0.1:${String(tcp.service)}`,
              routes: [
                {
                  id: '8a603585-a640-52a2-8f8b-8d9ad34d2e67',
                  name: 'tcp-any',
                  protocols: ['tcp'],
                  destinations: tcp.ports.map((each) => ({ port: each })),
                },
              ],
            },
          ]),
    ],
    consumers: [
      {
        id: 'b32379d9-3d28-5683-a79c-72139be6e34f',
        username: 'alice',
        custom_id: 'c-1',
        tags: ['vip'],
        keyauth_credentials: [{ key: 'alicekey' }],
      },
    ],
    plugins: [{ name: 'probe', protocols: ['http', 'https', 'tcp', 'tls'] }],
  };
}
