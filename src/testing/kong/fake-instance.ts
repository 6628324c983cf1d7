import { KongTsError, messageOf } from '../../base/errors.ts';
import type { Phase, Protocol } from '../../pdk/names/index.ts';
import { phases as allPhases } from '../../pdk/names/index.ts';
import type { BoundPlugin, KnownPlugin, PluginClient, PluginEntity } from '../../kong-end/index.ts';
import type { KongDescription } from '../description.ts';
import { misuse } from '../misuse.ts';
import type { CompiledOverrides, Overrides } from '../overrides.ts';
import { compileOverrides } from '../overrides.ts';
import { KongRequest } from './kong-request.ts';
import type { KongSide } from './kong-side.ts';
import type { Observer } from './observer.ts';
import { pluginEntity } from './snapshot.ts';

/** A plugin whose name is all that is known. */
export interface NamedPlugin {
  readonly name: string;
  /** The phases that it has. Default: unknown, `run()` then runs all of them. */
  readonly phases?: readonly Phase[];
}

/** What the plugin is known by: with a schema (a CompiledPlugin, an entry of a dump), defaults are filled in as Kong does. */
export type PluginIdentity = string | NamedPlugin | KnownPlugin;

/** How a plugin is configured. */
export interface InstanceOptions {
  /** The plugin's configuration as a user of Kong writes it. Default: none. */
  readonly config?: Readonly<Record<string, unknown>>;
  /**
   * The protocol to speak to this plugin. Default: that of the fake Kong. As in Kong, plugins of both protocols use the
   * same connections to a socket.
   */
  readonly protocol?: Protocol;
  /** Id of the plugin entity in Kong (`__plugin_id`), a UUID. Default: one made from the plugin's name and a number. */
  readonly pluginId?: string;
  /** `instance_name` of the plugin entity. */
  readonly instanceName?: string;
  /** Ids of what the configuration is limited to; Kong puts them into it. Default: global. */
  readonly scope?: { readonly route?: string; readonly service?: string; readonly consumer?: string };
  /** Id of the workspace (`__ws_id`). Default: that of the workspace `default`. */
  readonly workspaceId?: string;
}

/** What is answered and described for one request. */
export interface RequestOptions extends KongDescription {
  /** Answers in place of Kong's. */
  readonly override?: Overrides;
}

/** Id of the workspace `default` in Kong's declarative mode. */
const defaultWorkspace = '0dc6f45b-8f8d-40d2-a504-473544ee190b';

/** A configured plugin on a plugin server. */
export class FakeInstance {
  readonly name: string;
  readonly protocol: Protocol;
  /** The phases that the plugin announces, null when nobody knows. */
  readonly phases: readonly Phase[] | null;
  readonly #known: KnownPlugin | null;
  readonly #options: InstanceOptions;
  readonly #side: KongSide;
  readonly #prefix: string;
  readonly #observer: Observer;
  readonly #pluginId: string;
  #bound: BoundPlugin;

  /**
   * @param prefix folder for bodies that are too large for memory
   * @throws KongTsError CONFIG_INVALID
   */
  constructor(
    plugin: PluginIdentity,
    options: InstanceOptions,
    side: KongSide,
    prefix: string,
    observer: Observer,
  ) {
    const identity = typeof plugin === 'string' ? { name: plugin } : plugin;
    this.name = identity.name;
    this.protocol = options.protocol ?? side.protocol;
    this.phases =
      identity.phases === undefined ? null : allPhases.filter((each) => identity.phases?.includes(each));
    this.#known = 'schema' in identity ? identity : null;
    this.#options = options;
    this.#side = side;
    this.#prefix = prefix;
    this.#observer = observer;
    this.#pluginId = side.addPlugin(this.name, options.pluginId);
    this.#bound = this.#bind(options.config ?? {});
  }

  /** The configuration as Kong stores it, defaults filled in where the plugin's schema is known. */
  get config(): Readonly<Record<string, unknown>> {
    return this.#bound.entity.config;
  }

  /** The id that the server gave the instance; starts one when there is none. */
  get id(): Promise<number> {
    return this.start();
  }

  /** Starts the instance unless it runs. @throws KongTsError PLUGIN_SERVER_UNREACHABLE */
  async start(): Promise<number> {
    try {
      const id = await this.#idFor();
      if (id === null) throw new Error('the answer has no id');
      return id;
    } catch (error) {
      throw new KongTsError(
        'PLUGIN_SERVER_UNREACHABLE',
        `Kong cannot start an instance of ${this.name} on ${this.#side.socket}: ${messageOf(error)}.`,
        { cause: error, fix: 'Check that the server listens there and what its log says.' },
      );
    }
  }

  /**
   * Changes the configuration as an administrator does: Kong starts a new instance, then closes the old one.
   * @throws KongTsError CONFIG_INVALID, PLUGIN_SERVER_UNREACHABLE
   */
  async configure(config: Readonly<Record<string, unknown>>): Promise<void> {
    this.#bound = this.#bind(config);
    await this.start();
  }

  /**
   * Begins a request. Nothing happens until one of its phases is run.
   * @throws KongTsError TEST_MISUSE for a description or an override that cannot be
   */
  request(options: RequestOptions = {}): KongRequest {
    const { override, ...described } = options;
    return this.begin(described, compileOverrides(override, this.protocol, false));
  }

  /** As `request`, with overrides that are compiled already. */
  begin(described: KongDescription, overrides: CompiledOverrides): KongRequest {
    const stream = this.phases?.includes('preread') === true && !this.phases.some((phase) => http.has(phase));
    return new KongRequest(
      { ...(stream ? { subsystem: 'stream' } : {}), ...described },
      {
        served: { side: this.#side, bound: this.#bound, protocol: this.protocol },
        phases: this.phases,
        overrides,
        prefix: this.#prefix,
        observer: this.#observer,
      },
    );
  }

  /** Closes the instance, as Kong does when its configuration is replaced. */
  async close(): Promise<void> {
    const id = await this.start();
    await this.#side.watch(() => this.#client.closeInstance(id));
    this.#side.removePlugin(this.#pluginId);
  }

  get #client(): PluginClient {
    return this.#side.clientOf(this.name, this.protocol);
  }

  #idFor(): Promise<number | null> {
    return this.#side.watch(() => this.#side.worker.instances.idFor(this.#bound, this.#client));
  }

  #bind(config: Readonly<Record<string, unknown>>): BoundPlugin {
    const { instanceName, scope, workspaceId } = this.#options;
    const id = this.#pluginId;
    const fields = { id, ...(instanceName === undefined ? {} : { instance_name: instanceName }) };
    const reference = (to: string | undefined) => (to === undefined ? null : { id: to });
    const entity: PluginEntity = {
      ...(this.#known === null ? unchecked(this.name, config) : pluginEntity(this.#known, config, { id })),
      ...fields,
      route: reference(scope?.route),
      service: reference(scope?.service),
      consumer: reference(scope?.consumer),
      ws_id: workspaceId ?? defaultWorkspace,
    };
    return {
      entity,
      handler: {
        name: this.name,
        version: this.#known?.version ?? '0.0.0',
        priority: this.#known?.priority ?? 0,
        protocol: this.protocol,
        phases: new Set(this.phases ?? allPhases),
        run: () => Promise.reject(misuse('This plugin runs on a plugin server.', 'Use request().')),
      },
      seq: this.#side.nextSequence(),
      key: ['plugins', this.name, scope?.route, scope?.service, scope?.consumer, '', entity.ws_id].join(':'),
    };
  }
}

const http: ReadonlySet<Phase> = new Set(['rewrite', 'access', 'response'] as const);

/** An entity whose configuration nobody can check: the plugin's schema is not known here. */
function unchecked(name: string, config: Readonly<Record<string, unknown>>): PluginEntity {
  return {
    id: '',
    name,
    instance_name: null,
    enabled: true,
    protocols: ['grpc', 'grpcs', 'http', 'https'],
    config: { ...config },
    route: null,
    service: null,
    consumer: null,
    created_at: Math.floor(Date.now() / 1000),
    tags: null,
  };
}
