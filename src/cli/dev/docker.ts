import { chmodSync, writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { parseDocument } from 'yaml';
import { KongTsError } from '../../base/errors.ts';
import { readText } from '../../base/read-text.ts';
import { kongSettings, factsOf, variable } from '../../kong-setup/index.ts';
import type { DumpDocument } from '../../plugin/index.ts';
import type { StartedKongContainer } from '../../testing/containers/index.ts';
import type { Addresses, Gateway } from './gateway.ts';
import { attemptOf } from './gateway.ts';
import type { DevTerminal } from './terminal.ts';

export interface DockerGatewayOptions {
  readonly config: string;
  /** Of the socket; the container mounts it. */
  readonly folder: string;
  /** Kong's image; null: KONG_IMAGE, else kong:3.9. */
  readonly image: string | null;
  readonly ports: { readonly proxy: number; readonly admin: number };
  /** The echo upstream on this machine. */
  readonly upstreamPort: number;
}

/** Where the folder is in the container. */
const shared = '/run/kong-ts';

/** Kong in a container, in front of the plugin server of this machine. */
export class DockerGateway implements Gateway {
  readonly #options: DockerGatewayOptions;
  readonly #terminal: DevTerminal;
  #kong: StartedKongContainer | null = null;
  #documents: readonly DumpDocument[] = [];

  constructor(options: DockerGatewayOptions, terminal: DevTerminal) {
    this.#options = options;
    this.#terminal = terminal;
  }

  async apply(documents: readonly DumpDocument[]): Promise<Addresses> {
    const { config, upstreamPort } = this.#options;
    const text = fromContainer(readText(config), upstreamPort);
    if (!isDeepStrictEqual(namesOf(documents), namesOf(this.#documents))) await this.close();
    const changed = !isDeepStrictEqual(documents, this.#documents);
    if (changed) this.#writeDumps(documents);
    if (this.#kong === null) this.#kong = await this.#start(text, documents);
    else if (changed) await this.#kong.reload(text);
    else await this.#kong.configure(text);
    this.#documents = documents;
    const { proxyUrl, adminUrl } = this.#kong;
    return { proxy: proxyUrl, admin: adminUrl, attempt: attemptOf(proxyUrl, routesIn(text)) };
  }

  async close(): Promise<void> {
    const kong = this.#kong;
    this.#kong = null;
    this.#documents = [];
    await kong?.stop();
  }

  #writeDumps(documents: readonly DumpDocument[]): void {
    // Kong's user is another one than ours.
    chmodSync(this.#options.folder, 0o755);
    for (const document of documents) {
      const file = path.join(this.#options.folder, `${document.Plugins[0]?.Name ?? ''}.json`);
      writeFileSync(file, JSON.stringify(document));
      chmodSync(file, 0o644);
    }
  }

  async #start(text: string, documents: readonly DumpDocument[]): Promise<StartedKongContainer> {
    const { KongContainer } = await import('../../testing/containers/index.ts');
    const { image, folder, ports } = this.#options;
    this.#terminal.say('Kong starts in a container; the first time, its image has to be pulled.');
    const kong = await new KongContainer({
      declarativeConfig: text,
      workers: 1,
      environment: settingsOf(documents),
      ...(image === null ? {} : { image }),
      configure: (container) => {
        container
          .withBindMounts([{ source: folder, target: shared, mode: 'rw' }])
          .withExposedPorts({ container: 8000, host: ports.proxy }, { container: 8001, host: ports.admin });
      },
    }).start();
    (await kong.container.logs())
      .on('data', (lines: Buffer | string) => {
        for (const line of String(lines).split('\n')) if (line.trim() !== '') this.#terminal.raw(line);
      })
      .on('error', () => undefined);
    return kong;
  }
}

/** @throws KongTsError CONTAINERS_UNAVAILABLE where --kong docker cannot work, before anything is started */
export async function checkDocker(): Promise<void> {
  if (process.platform !== 'linux')
    throw new KongTsError(
      'CONTAINERS_UNAVAILABLE',
      '--kong docker shares a unix socket with the container, which works on Linux only.',
      { fix: 'Leave it out, or use the compose.yaml that kong-ts init writes.' },
    );
  const { hasImage } = await import('../../testing/containers/index.ts');
  // Throws where testcontainers or an engine is missing.
  await hasImage('kong:3.9');
}

/** Where a container reaches this machine: Docker's bridge, so that the echo listens for containers and nobody else. */
export function bridgeAddress(): string {
  return networkInterfaces()['docker0']?.find(({ family }) => family === 'IPv4')?.address ?? '127.0.0.1';
}

/** This machine is another one for Kong in its container. */
export function fromContainer(text: string, port: number): string {
  return text.replaceAll(
    new RegExp(`\\b(?:127\\.0\\.0\\.1|localhost):${String(port)}\\b`, 'g'),
    `host.docker.internal:${String(port)}`,
  );
}

function settingsOf(documents: readonly DumpDocument[]): Record<string, string> {
  const { settings } = kongSettings({
    plugins: documents.flatMap(({ Protocol, Plugins }) =>
      Plugins.map(({ Name }) => ({
        name: Name,
        spec: Name,
        protocol: Protocol === 'MsgPack:1' ? ('msgpack' as const) : ('protobuf' as const),
      })),
    ),
    facts: factsOf('3.9'),
    mode: 'sidecar',
    socket: `${shared}/kong-ts.sock`,
    command: [],
    dumpFolder: shared,
  });
  const one = `${shared}/kong-ts.sock`;
  return Object.fromEntries(
    // One socket for both protocols: the server of kong-ts dev listens on no other.
    settings.map((setting) => [variable(setting), setting.key.endsWith('_socket') ? one : setting.value]),
  );
}

const namesOf = (documents: readonly DumpDocument[]): string[] =>
  documents.flatMap(({ Plugins }) => Plugins.map(({ Name }) => Name)).toSorted();

function routesIn(
  text: string,
): { paths: string[] | null; methods: string[] | null; hosts: string[] | null }[] {
  const document = parseDocument(text).toJS() as {
    services?: { routes?: { paths?: string[]; methods?: string[]; hosts?: string[] }[] }[];
  } | null;
  const routes = (document?.services ?? []).flatMap((service) => service.routes ?? []);
  return routes.map(({ paths = null, methods = null, hosts = null }) => ({ paths, methods, hosts }));
}
