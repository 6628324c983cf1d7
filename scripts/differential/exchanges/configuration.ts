import type { Exchange, Places } from '../exchange.ts';

const route =
  (given: object) =>
  ({ here, upstream }: Places): object => ({
    services: [{ name: 'up', url: `http://${here}:${String(upstream)}/`, routes: [given] }],
  });

/** Configurations that Kong does not take. */
export const configurationExchanges: readonly Exchange[] = [
  { id: 'path-encoded', class: 1, config: route({ paths: ['/a%20b'] }), kong: { config: 'refused' } },
  {
    id: 'path-encoded-utf8',
    class: 1,
    config: route({ paths: ['/caf%C3%A9'] }),
    kong: { config: 'refused' },
  },
  {
    id: 'header-route-without-values',
    class: 1,
    config: route({ headers: { x: [] } }),
    kong: { config: 'refused' },
  },
  {
    id: 'header-route-bad-expression',
    class: 1,
    config: route({ headers: { x: ['~*('] } }),
    kong: { config: 'refused' },
  },
];
