import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { systemClock } from '../../base/clock.ts';
import { readText } from '../../base/read-text.ts';
import type { DumpDocument } from '../../plugin/index.ts';
import { FileWatch, Quiet } from '../../server/index.ts';
import { banner } from './banner.ts';
import { consoleOf } from './console-address.ts';
import type { Echo } from './echo.ts';
import { startEcho } from './echo.ts';
import type { Addresses, Gateway } from './gateway.ts';
import { makeKongYml } from './kong-yml.ts';
import type { DevOptions } from './options.ts';
import { bracketed, listenError } from './ports.ts';
import { DevServer } from './server.ts';
import type { DevTerminal } from './terminal.ts';

export interface SessionOptions extends DevOptions {
  /** Makes the gateway, once the socket's path is known. */
  readonly gateway: (socket: string, folder: string) => Gateway;
}

/** How long the file of the configuration has to be quiet before it is read, at most, in milliseconds. */
const calmMs = 60;
const mostMs = 300;

/** Everything that `kong-ts dev` runs: the plugin server, the gateway, the echo upstream. What changes is taken over at once. */
export class DevSession {
  /** Resolves with the reason when the plugin server has ended by itself. */
  readonly ended: Promise<string>;
  readonly #options: SessionOptions;
  readonly #terminal: DevTerminal;
  readonly #folder: string;
  readonly #server: DevServer;
  readonly #gateway: Gateway;
  readonly #watch: FileWatch;
  readonly #quiet: Quiet;
  #echo: Echo | null = null;
  #documents: readonly DumpDocument[] = [];
  /** What the configuration's file held when it was read last; null: there was none. */
  #content: string | null = null;
  /** What is told once: where everything is. */
  #introduced = false;
  #closing = false;
  /** One change at a time. */
  #work: Promise<void> = Promise.resolve();

  constructor(options: SessionOptions, terminal: DevTerminal) {
    this.#options = options;
    this.#terminal = terminal;
    this.#folder = mkdtempSync(path.join(tmpdir(), 'kong-ts-dev-'));
    let end: (why: string) => void = () => undefined;
    this.ended = new Promise((resolve) => {
      end = resolve;
    });
    const { plugins, hooksAdmin, inspect, logLevel, socketMode } = options;
    this.#server = new DevServer(
      {
        ...{ plugins, hooksAdmin, inspect, logLevel, socketMode, folder: this.#folder },
        dataDir: options.dataDir ?? path.join(this.#folder, 'data'),
        reloaded: () => void this.#enqueue(() => this.#pluginsChanged()),
        ended: end,
      },
      terminal,
    );
    this.#gateway = options.gateway(this.#server.socket, this.#folder);
    this.#quiet = new Quiet(
      systemClock,
      calmMs,
      mostMs,
      () => void this.#enqueue(() => this.#configChanged()),
    );
    this.#watch = new FileWatch({ touched: () => this.#quiet.stir(), polls: () => undefined });
  }

  /** Starts everything. What a plugin or kong.yml has wrong is printed, and tried again when it changes. */
  async start(): Promise<void> {
    await this.#startEcho();
    await this.#enqueue(async () => {
      await this.#server.loaded();
      this.#documents = await this.#server.documents();
      await this.#apply();
    });
    await this.#watch.watch([this.#options.config]);
    this.#quiet.stir();
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#quiet.stop();
    await this.#watch.close();
    // The gateway first: requests in flight still find their plugin server.
    await this.#gateway.close();
    await this.#server.stop();
    await this.#echo?.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Ends at once, whatever is in flight. */
  kill(): void {
    this.#server.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #startEcho(): Promise<void> {
    const { upstream } = this.#options;
    const { host, port } = upstream;
    if ((await listenError(port, host)) === null) this.#echo = await startEcho(host, port);
    else
      this.#terminal.say(
        this.#terminal.paint.yellow(
          `Port ${String(port)} is taken, so there is no echo upstream: requests go to what listens there. ` +
            'Another port: --upstream-port PORT, and change kong.yml.',
        ),
      );
  }

  #enqueue(task: () => Promise<void>): Promise<void> {
    this.#work = this.#work.then(async () => {
      if (this.#closing) return;
      await task().catch((error: unknown) => {
        if (!this.#closing) this.#terminal.error(error);
      });
    });
    return this.#work;
  }

  async #pluginsChanged(): Promise<void> {
    const documents = await this.#server.documents();
    if (isDeepStrictEqual(documents, this.#documents) && this.#introduced) return;
    this.#documents = documents;
    const known = this.#introduced;
    await this.#apply();
    if (known) this.#say('the gateway has read the new schema');
  }

  async #configChanged(): Promise<void> {
    if (contentOf(this.#options.config) === this.#content) return;
    const known = this.#introduced;
    await this.#apply();
    if (known) this.#say(`reloaded ${path.relative(process.cwd(), this.#options.config)}`);
  }

  async #apply(): Promise<void> {
    if (this.#documents.length === 0) return;
    const { config, upstream } = this.#options;
    if (makeKongYml(config, this.#documents, upstream.url))
      this.#say(`made ${path.relative(process.cwd(), config)}`);
    this.#content = contentOf(config);
    const addresses = await this.#gateway.apply(this.#documents);
    if (!this.#introduced) await this.#introduce(addresses);
  }

  async #introduce(addresses: Addresses): Promise<void> {
    this.#introduced = true;
    const { hooksAdmin, plugins, upstream, config } = this.#options;
    const status = await this.#server.status();
    this.#terminal.say(
      banner({
        ...addresses,
        ...{ hooksAdmin, files: plugins, config: path.relative(process.cwd(), config) },
        plugins: (status?.plugins ?? []).map(({ name, version }) => `${name} ${version}`),
        upstream: this.#echo === null ? null : `http://${bracketed(upstream.host)}:${String(upstream.port)}`,
        console: await consoleOf(hooksAdmin),
        paint: this.#terminal.paint,
      }),
    );
  }

  #say(text: string): void {
    this.#terminal.say(this.#terminal.paint.green(text));
  }
}

/** Null where it cannot be read. */
function contentOf(file: string): string | null {
  try {
    return readText(file);
  } catch {
    return null;
  }
}
