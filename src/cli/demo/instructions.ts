import { teams } from './configuration.ts';

export interface Addresses {
  readonly proxy: string;
  readonly admin: string;
  readonly eventHooks: string;
  readonly upstream: string;
}

/** What the terminal shows once everything runs: where things are, and lines to try. */
export function instructions({
  proxy,
  admin,
  eventHooks,
  upstream,
  folder,
}: Addresses & { folder: string }): string {
  const requests = teams.map((team) => `  curl -s ${proxy}/${team}/hello`);
  return `
kong-ts demo: a gateway with two workspaces, http-log-enterprise in both, and one webhook for all of them.

  proxy      ${proxy}
  Admin API  ${admin}
  console    ${eventHooks}/console/
  upstream   ${upstream}     also receives the logs and the webhook
  files      ${folder}

Send a request as each team:

${requests.join('\n')}

Each team's log has its own requests only, the webhook has those of both:

${teams.map((team) => `  curl -s '${upstream}/received?path=/logs/${team}'`).join('\n')}
  curl -s '${upstream}/received?path=/webhook'

Look at the event hook, at what can be hooked, and at a workspace's configuration:

  curl -s ${admin}/event-hooks
  curl -s ${admin}/event-hooks/sources
  curl -s ${admin}/team-blue/plugins

Ctrl-C ends all of it.
`;
}
