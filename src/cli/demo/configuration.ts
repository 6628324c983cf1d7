import { stringify } from 'yaml';

export const teams = ['blue', 'green'] as const;
export type Team = (typeof teams)[number];

/**
 * The declarative configuration of one team's workspace: a service with a route, a consumer with a key, and
 * http-log-enterprise with an endpoint of the team's own.
 */
export function teamConfiguration(team: Team, upstream: string): string {
  return stringify({
    _format_version: '3.0',
    _workspace: `team-${team}`,
    services: [
      {
        name: `${team}-service`,
        url: upstream,
        routes: [{ name: `${team}-route`, paths: [`/${team}`], strip_path: false }],
      },
    ],
    consumers: [{ username: `${team}-consumer`, keyauth_credentials: [{ key: `${team}-key` }] }],
    plugins: [
      {
        name: 'http-log-enterprise',
        config: {
          http_endpoint: `${upstream}/logs/${team}`,
          queue: { max_batch_size: 20, max_coalescing_delay: 0.5 },
        },
      },
    ],
  });
}
