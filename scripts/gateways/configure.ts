import { setTimeout as sleep } from 'node:timers/promises';
import { exchange } from './raw-exchange.ts';
import type { Address } from './gateway.ts';

/** How long Kong may take until requests meet a new configuration, in milliseconds. */
const patienceMs = 30_000;
let marks = 0;
/** What the paths of requests begin with that ask whether a configuration is used yet. */
export const readyPath = '/kong-ts-ready-';

interface Config {
  readonly services?: readonly object[];
  readonly [section: string]: unknown;
}

/**
 * Loads a configuration over `POST /config` and waits until a route that is in this one alone answers: Kong says 201
 * before its router knows. One nginx worker is taken for granted.
 * @throws Error with Kong's answer
 */
export async function configureOver(
  adminUrl: string,
  proxy: Address,
  here: string,
  given: object,
): Promise<void> {
  const config = given as Config;
  const mark = `${readyPath}${String(process.pid)}-${String(++marks)}`;
  const name = mark.slice(1);
  const ready = { name, url: `http://${here}:1/`, routes: [{ name, paths: [mark] }] };
  const answer = await fetch(`${adminUrl}/config`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      config: JSON.stringify({
        _format_version: '3.0',
        ...config,
        services: [...(config.services ?? []), ready],
      }),
    }),
  });
  const said = await answer.text();
  if (!answer.ok) throw new ConfigRefused(answer.status, said);
  const end = Date.now() + patienceMs;
  // Nobody listens on port 1: the route is there when it is not Kong's 404.
  for (;;) {
    const { status } = await exchange(
      proxy,
      `GET ${mark} HTTP/1.1\r\nHost: ready\r\nConnection: close\r\n\r\n`,
    );
    if (status !== 404 && status !== null) return;
    if (Date.now() > end) throw new Error(`${adminUrl} took a configuration and does not use it`);
    await sleep(20);
  }
}

/** A configuration that Kong does not take. */
export class ConfigRefused extends Error {
  readonly status: number;
  constructor(status: number, said: string) {
    super(`the configuration was refused (${String(status)}): ${said}`);
    this.status = status;
  }
}
