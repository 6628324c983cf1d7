import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { KongTsError } from '../../base/errors.ts';
import type { Phase, Protocol } from '../../pdk/names/index.ts';
import type { CompiledPlugin } from '../../plugin/index.ts';
import { loadPlugin, isCompiledPlugin } from '../../plugin/index.ts';
import type { InstanceOptions, RequestOptions } from '../kong/fake-instance.ts';
import { FakeInstance } from '../kong/fake-instance.ts';
import type { KongRequest } from '../kong/kong-request.ts';
import type { WireChunk } from '../kong/wire-tap.ts';
import { checkRequestOptions, checkTestOptions } from '../known-options.ts';
import type { Names } from '../known-options.ts';
import { misuse } from '../misuse.ts';
import { compileOverrides } from '../overrides.ts';
import type { LogView, PhaseResult, RunResult } from '../results.ts';
import type { WantedEvents } from './event-capture.ts';
import { TestRig } from './test-rig.ts';

/** What a plugin is tested with. Everything has a default. */
export interface TestPluginOptions extends RequestOptions, InstanceOptions {
  /** Default: the plugin's own. ProtoBuf:1 lacks functions that a plugin written for MsgPack:1 may call. */
  readonly protocol?: Protocol;
  /** Time limit of one phase in milliseconds. Default: the plugin's own. */
  readonly phaseTimeout?: number;
  /**
   * Whether calls are merged, as on a server. `calls` then has what Kong was asked, so that its length before and after is what
   * the plugin's calls cost in frames; overrides of single calls that are merged are not asked for. Default false.
   */
  readonly merge?: boolean;
  /** Environment variables until `close()`, for the plugin and for `{vault://env/...}` references. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The folder that `setup` gets. Default: none. */
  readonly dataDir?: string;
  /** Which of its events somebody listens to, for `eventHooks.wants`. Default `all`. */
  readonly eventHooks?: WantedEvents;
  /** What a relative plugin path is resolved from. Default: the current folder. */
  readonly cwd?: string;
}

const ownOptions: Names<Omit<TestPluginOptions, keyof (RequestOptions & InstanceOptions) | 'protocol'>> = {
  phaseTimeout: true,
  merge: true,
  env: true,
  dataDir: true,
  eventHooks: true,
  cwd: true,
};

/** A metric that the plugin keeps, as Prometheus would read it. */
export interface MetricView {
  readonly name: string;
  readonly type: string;
  readonly values: readonly { readonly labels: Readonly<Record<string, unknown>>; readonly value: number }[];
}

/**
 * Runs a plugin's phases in this process against a described request: the plugin server's own protocol drivers on one
 * side of a socket, Kong's side as measured on Kong 3.9.3 on the other. Ends with `close()` (or `await using`).
 *
 * @param plugin what definePlugin returned, or a file, package or bundled plugin as `kong-ts serve` takes it
 * @throws KongTsError CONFIG_INVALID when Kong or the plugin refuses the configuration (the message names the field),
 *   SETUP_FAILED, TEST_MISUSE for a test that cannot be, and what loading the plugin throws
 */
export async function testPlugin(
  plugin: CompiledPlugin | string | URL,
  options: TestPluginOptions = {},
): Promise<PluginTest> {
  checkTestOptions(options, ownOptions);
  const compiled = await pluginOf(plugin, options);
  const protocol = protocolOf(compiled, options.protocol);
  const overrides = compileOverrides(options.override, protocol, compiled.bindKong === undefined);
  const folder = mkdtempSync(path.join(tmpdir(), 'kong-ts-test-'));
  const rig = await TestRig.open(compiled, { ...options, protocol, folder });
  try {
    const instance = new FakeInstance(rig.plugin, options, rig.side, folder, rig.observer);
    await started(instance, rig);
    return new PluginTest(rig, instance, { ...options, overrides, folder });
  } catch (error) {
    await rig.close();
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

interface Held extends TestPluginOptions {
  readonly overrides: ReturnType<typeof compileOverrides>;
  readonly folder: string;
}

/** A plugin under test, with one request at a time. */
export class PluginTest {
  readonly #rig: TestRig;
  readonly #instance: FakeInstance;
  readonly #options: Held;
  #current: KongRequest;

  /** Use testPlugin. */
  constructor(rig: TestRig, instance: FakeInstance, options: Held) {
    this.#rig = rig;
    this.#instance = instance;
    this.#options = options;
    this.#current = this.#begin({});
  }

  /** The plugin as it runs here: protocol and time limit may be the test's. */
  get plugin(): CompiledPlugin {
    return this.#rig.plugin;
  }

  /** The configuration as Kong stores it, with the schema's defaults. */
  get config(): Readonly<Record<string, unknown>> {
    return this.#instance.config;
  }

  /** Every log line so far, that of `setup` included. */
  get logs(): readonly LogView[] {
    return this.#rig.lines.since(0);
  }

  /** The bytes on the socket so far. */
  get wire(): readonly WireChunk[] {
    return this.#rig.tap.chunks;
  }

  /** The metrics that the plugin keeps. */
  get metrics(): readonly MetricView[] {
    return this.#rig.host.metrics.toJson().map(({ name, type, values }) => ({ name, type, values }));
  }

  /**
   * Begins another request to the same instance, so that what the plugin remembers can be tested.
   * @param described fields in place of those given to testPlugin; those of `request` are merged
   */
  request(described: RequestOptions = {}): this {
    checkRequestOptions(described);
    this.#current = this.#begin(described);
    return this;
  }

  /** See {@link KongRequest.certificate}. */
  certificate(): Promise<PhaseResult> {
    return this.phase('certificate');
  }

  /** Runs rewrite, before the route is known. */
  rewrite(): Promise<PhaseResult> {
    return this.phase('rewrite');
  }

  /** Runs access: route, service and consumer are known, nothing has gone to the upstream. */
  access(): Promise<PhaseResult> {
    return this.phase('access');
  }

  /** Runs response: the upstream has answered, the client has not been sent anything. */
  response(): Promise<PhaseResult> {
    return this.phase('response');
  }

  /** Runs preread of a TCP connection. */
  preread(): Promise<PhaseResult> {
    return this.phase('preread');
  }

  /** Runs log: the client has its answer. */
  log(): Promise<PhaseResult> {
    return this.phase('log');
  }

  /** Runs one phase of the request. @throws KongTsError TEST_MISUSE when Kong would not run it now */
  phase(phase: Phase): Promise<PhaseResult> {
    return this.#current.phase(phase);
  }

  /** Runs all phases that the plugin has and that are left, in Kong's order; after an exit, log only. */
  run(): Promise<RunResult> {
    return this.#current.run();
  }

  /**
   * Changes the configuration as an administrator does, and begins another request.
   * @throws KongTsError CONFIG_INVALID, SETUP_FAILED
   */
  async configure(config: Readonly<Record<string, unknown>>): Promise<void> {
    try {
      await this.#instance.configure(config);
    } catch (error) {
      throw this.#rig.host.startFailure ?? error;
    }
    this.#current = this.#begin({});
  }

  /** Gives everything up: the plugin's `close` runs, environment and event hooks are as before. */
  async close(): Promise<void> {
    try {
      await this.#rig.close();
    } finally {
      rmSync(this.#options.folder, { recursive: true, force: true });
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #begin({ override, ...described }: RequestOptions): KongRequest {
    const { overrides: first, ...options } = this.#options;
    const composes = this.#rig.plugin.bindKong === undefined;
    const more = compileOverrides(override, this.#rig.side.protocol, composes);
    const overrides = {
      wire: new Map([...first.wire, ...more.wire]),
      composed: new Map([...first.composed, ...more.composed]),
    };
    this.#rig.composed = overrides.composed;
    const request = { ...options.request, ...described.request };
    return this.#instance.begin({ ...options, ...described, request }, overrides);
  }
}

async function pluginOf(plugin: CompiledPlugin | string | URL, options: TestPluginOptions) {
  if (typeof plugin === 'string' || plugin instanceof URL) {
    return loadPlugin(String(plugin), options.cwd === undefined ? {} : { cwd: options.cwd });
  }
  if (isCompiledPlugin(plugin)) return plugin;
  throw misuse(
    'testPlugin was given no plugin.',
    'Give it what definePlugin returns (the default export of your plugin file), or the path of the file.',
  );
}

function protocolOf(plugin: CompiledPlugin, asked: unknown): Protocol {
  if (asked === undefined) return plugin.protocol;
  if (asked !== 'protobuf' && asked !== 'msgpack') {
    throw misuse(`The protocol is ${JSON.stringify(asked)}.`, 'It is "protobuf" or "msgpack".');
  }
  if (plugin.bindKong !== undefined && asked === 'protobuf') {
    throw misuse(
      `${plugin.name} is written for kong-pdk, which speaks MsgPack:1 only.`,
      "Leave protocol out, or give 'msgpack'.",
    );
  }
  return asked;
}

async function started(instance: FakeInstance, { host }: TestRig): Promise<void> {
  try {
    await instance.start();
  } catch (error) {
    // Why it failed is known here; Kong only hears that it did.
    throw KongTsError.is(host.startFailure) ? host.startFailure : error;
  }
}
