import type { Phase } from '../../pdk/names/index.ts';
import { HttpExchange, PdkExit, callFunction, kongVersion } from '../../kong-end/index.ts';
import type {
  BoundPlugin,
  ConsumerEntity,
  Exchange,
  KeyAuthCredentialEntity,
  PdkCall,
  PhaseOutcome,
  PluginHandler,
} from '../../kong-end/index.ts';

interface KeyAuthConfig {
  key_names: string[];
  key_in_header: boolean;
  key_in_query: boolean;
  key_in_body: boolean;
  hide_credentials: boolean;
  anonymous: string | null;
  run_on_preflight: boolean;
  realm: string | null;
}

interface Refusal {
  status: 401 | 500;
  message: string;
}

/** Kong's own key-auth plugin. */
export class KeyAuth implements PluginHandler {
  readonly name = 'key-auth';
  readonly version = kongVersion;
  readonly priority = 1250;
  readonly protocol = 'builtin';
  readonly phases = new Set(['access']);

  async run(phase: Phase, exchange: Exchange, plugin: BoundPlugin): Promise<PhaseOutcome> {
    if (!(exchange instanceof HttpExchange)) return 'continue';
    const config = plugin.entity.config as unknown as KeyAuthConfig;
    if (!config.run_on_preflight && exchange.upstream.method === 'OPTIONS') return 'continue';
    const call: PdkCall = { phase, exchange, plugin, protocol: 'msgpack' };
    try {
      await this.#access(call, exchange, config);
      return 'continue';
    } catch (error) {
      if (error instanceof PdkExit) return 'exit';
      throw error;
    }
  }

  async #access(call: PdkCall, exchange: HttpExchange, config: KeyAuthConfig): Promise<void> {
    const anonymous = config.anonymous ?? null;
    if (anonymous !== null && exchange.credential !== null) return;
    const refusal = await authenticate(call, exchange, config);
    if (refusal === null) return;
    if (anonymous !== null) {
      setAnonymous(call, exchange, anonymous);
      return;
    }
    const realm = config.realm ?? null;
    const headers = { 'WWW-Authenticate': realm === null ? 'Key' : `Key realm="${realm}"` };
    callFunction(call, 'kong.response.error', [
      refusal.status,
      refusal.message,
      refusal.status === 401 ? headers : null,
    ]);
  }
}

async function authenticate(
  call: PdkCall,
  exchange: HttpExchange,
  config: KeyAuthConfig,
): Promise<Refusal | null> {
  const headers = exchange.headers.toTable();
  const query = callFunction(call, 'kong.request.get_query', [100]) as Record<string, unknown>;
  let body: Record<string, unknown> | null = null;
  const readBody = async (): Promise<Record<string, unknown>> =>
    (body ??= ((await callFunction(call, 'kong.request.get_body', [])) ?? {}) as Record<string, unknown>);
  let key: string | null = null;
  for (const name of config.key_names) {
    let value: unknown = config.key_in_header ? headers[name.toLowerCase()] : undefined;
    if (!isSet(value) && config.key_in_query) value = query[name];
    if (!isSet(value) && config.key_in_body) value = (await readBody())[name];
    if (typeof value === 'string') {
      key = value;
      if (config.hide_credentials) await hide(call, name, config.key_in_body ? await readBody() : null);
      break;
    }
    if (Array.isArray(value)) return { status: 401, message: 'Duplicate API key found' };
  }
  if (key === null || key === '') return { status: 401, message: 'No API key found in request' };
  const credential = findCredential(exchange, key);
  if (credential === null) return { status: 401, message: 'Unauthorized' };
  const consumer = exchange.node.snapshot().consumers.find((each) => each.id === credential.consumer.id);
  if (consumer === undefined) return { status: 500, message: 'An unexpected error occurred' };
  setConsumer(call, exchange, consumer, credential);
  return null;
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null && value !== false;
}

async function hide(call: PdkCall, name: string, body: Record<string, unknown> | null): Promise<void> {
  callFunction(call, 'kong.service.request.clear_query_arg', [name]);
  callFunction(call, 'kong.service.request.clear_header', [name]);
  if (body === null || !(name in body)) return;
  const { [name]: _hidden, ...rest } = body;
  await callFunction(call, 'kong.service.request.set_body', [rest]);
}

function findCredential(exchange: HttpExchange, key: string): KeyAuthCredentialEntity | null {
  const workspace = exchange.route?.ws_id;
  const found = exchange.node
    .snapshot()
    .keyauthCredentials.find(
      (each) => each.key === key && (each.ws_id === undefined || each.ws_id === workspace),
    );
  if (found === undefined) return null;
  const expired =
    found.ttl !== null && found.ttl !== undefined && found.created_at + found.ttl <= Date.now() / 1000;
  return expired ? null : found;
}

function setAnonymous(call: PdkCall, exchange: HttpExchange, anonymous: string): void {
  const workspace = exchange.route?.ws_id;
  const consumer = exchange.node
    .snapshot()
    .consumers.find(
      (each) =>
        (each.ws_id === undefined || each.ws_id === workspace) &&
        (each.id === anonymous || each.username === anonymous),
    );
  if (consumer === undefined) {
    // A Lua error in Kong 3.9.3, which has no words for it.
    throw new Error(`anonymous consumer ${anonymous} is configured but doesn't exist`);
  }
  setConsumer(call, exchange, consumer, null);
}

function setConsumer(
  call: PdkCall,
  exchange: HttpExchange,
  consumer: ConsumerEntity,
  credential: KeyAuthCredentialEntity | null,
): void {
  callFunction(call, 'kong.client.authenticate', [consumer, credential]);
  const headers: [string, string | null][] = [
    ['X-Consumer-ID', consumer.id],
    ['X-Consumer-Custom-ID', consumer.custom_id],
    ['X-Consumer-Username', consumer.username],
    ['X-Credential-Identifier', credential?.id ?? null],
    ['X-Anonymous-Consumer', credential === null ? 'true' : null],
  ];
  for (const [name, value] of headers) {
    if (value === null) exchange.headers.delete(name);
    else exchange.headers.set(name, value);
  }
}
