import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { ParseArgsOptionsConfig } from 'node:util';
import { addressGateway } from './address-gateway.ts';
import type { Gateway } from './gateway.ts';
import { probeEnvironment, writeDumps } from './plugins.ts';
import { sandboxGateway } from './sandbox-gateway.ts';

/** Options of the commands that say which Kong. */
export const gatewayOptions = {
  image: { type: 'string' },
  sandbox: { type: 'boolean', default: false },
  postgres: { type: 'boolean', default: false },
  proxy: { type: 'string' },
  'proxy-tls': { type: 'string' },
  admin: { type: 'string' },
  stream: { type: 'string' },
  probes: { type: 'string' },
  here: { type: 'string', default: '127.0.0.1' },
} as const satisfies ParseArgsOptionsConfig;

export const gatewayUsage = `  --sandbox                 the sandbox of this checkout
  --image IMAGE             Kong from an image, by KongContainer (--postgres: with a database, for admin-api)
  --proxy URL --admin URL   a Kong that runs, without a database, with
      --probes FOLDER       the folder that its settings name (\`probes FOLDER\` prints them)
      --proxy-tls URL, --stream HOST:PORT, --here ADDRESS of this machine (127.0.0.1)`;

export interface GatewayChoice {
  readonly image?: string | undefined;
  readonly sandbox?: boolean | undefined;
  readonly postgres?: boolean | undefined;
  readonly proxy?: string | undefined;
  readonly 'proxy-tls'?: string | undefined;
  readonly admin?: string | undefined;
  readonly stream?: string | undefined;
  readonly probes?: string | undefined;
  readonly here?: string | undefined;
}

/** Opens the Kong that the options name. @throws Error where they name none, or several */
export async function openGateway(choice: GatewayChoice): Promise<Gateway> {
  const { image, proxy, admin, probes } = choice;
  const named = [image, choice.sandbox === true ? 'sandbox' : undefined, proxy].filter(
    (each) => each !== undefined,
  );
  if (named.length !== 1) throw new Error(`Say which Kong, with one of:\n${gatewayUsage}`);
  if (image !== undefined) {
    // Nothing is fetched but the image, and nothing is left to a helper container: `close` ends what was started.
    process.env['TESTCONTAINERS_RYUK_DISABLED'] ??= 'true';
    // testcontainers is loaded where it is needed only.
    const { imageGateway } = await import('./image-gateway.ts');
    return imageGateway(image, choice.postgres === true ? { postgres: true } : {});
  }
  if (proxy === undefined) return sandboxGateway(choice.postgres === true ? { database: 'postgres' } : {});
  if (admin === undefined || probes === undefined) throw new Error('--proxy needs --admin and --probes.');
  return addressGateway({
    proxyUrl: proxy,
    adminUrl: admin,
    probes,
    proxyTlsUrl: choice['proxy-tls'] ?? null,
    stream: choice.stream ?? null,
    here: choice.here ?? '127.0.0.1',
  });
}

/** Writes the probes' dumps to a folder; returns what Kong's environment has to hold before it is started. */
export async function prepareProbes(folder: string): Promise<string> {
  const place = path.resolve(folder);
  await mkdir(place, { recursive: true });
  await writeDumps(place);
  const settings = { ...probeEnvironment(place), KONG_DATABASE: 'off', KONG_NGINX_WORKER_PROCESSES: '1' };
  return Object.entries(settings)
    .map(([name, value]) => `${name}='${value}'\n`)
    .join('');
}
