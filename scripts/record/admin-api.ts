import type { Gateway, Provenance } from '../gateways/gateway.ts';
import { provenanceOf } from '../gateways/gateway.ts';

export interface AdminExchange {
  readonly request: { readonly method: string; readonly path: string; readonly body?: unknown };
  readonly response: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: unknown;
  };
}

export interface AdminRecording extends Partial<Provenance> {
  readonly kong: string;
  readonly note: string;
  readonly exchanges: readonly AdminExchange[];
}

const kept = ['content-type', 'allow', 'access-control-allow-methods'];

/** Sends the requests of a recording again, in their order, to an Admin API with an empty database. */
export async function recordAdminApi(gateway: Gateway, plan: AdminRecording): Promise<AdminRecording> {
  const provenance = await provenanceOf(gateway);
  await refuseUsed(gateway.adminUrl, provenance.database);
  /** What the plan's Kong called things, and what this one calls them. */
  const names = new Map<string, string>();
  const exchanges: AdminExchange[] = [];
  for (const { request, response } of plan.exchanges) {
    const path = renamed(request.path, names);
    const body = request.body === undefined ? {} : { body: JSON.stringify(request.body) };
    const answer = await fetch(`${gateway.adminUrl}${path}`, {
      method: request.method,
      ...(request.body === undefined ? {} : { headers: { 'content-type': 'application/json' } }),
      ...body,
    });
    const text = await answer.text();
    const seen = jsonOf(text);
    learn(response.body, seen, names);
    const headers = Object.fromEntries(
      kept.flatMap((name) => {
        const value = answer.headers.get(name);
        return value === null ? [] : [[name, value]];
      }),
    );
    await seed(gateway.adminUrl, request);
    exchanges.push({
      request: { ...request, path },
      response: { status: answer.status, headers, body: seen },
    });
  }
  return { ...provenance, note: 'Requests and responses of an Admin API, in order.', exchanges };
}

/** Requests that create and delete belong to an empty database, and to nobody else's. */
async function refuseUsed(adminUrl: string, database: string): Promise<void> {
  if (database === 'off')
    throw new Error('The Admin API is recorded with a database, and this Kong has none.');
  for (const kind of ['services', 'routes', 'plugins', 'consumers', 'upstreams']) {
    const { data } = Object(await (await fetch(`${adminUrl}/${kind}`)).json()) as { data?: unknown[] };
    if (Array.isArray(data) && data.length === 0) continue;
    throw new Error(`The Admin API is recorded with an empty database, and this Kong has ${kind}.`);
  }
}

/** The recorded Kong had five services when it was asked for pages of them. */
async function seed(adminUrl: string, { method, path, body }: AdminExchange['request']): Promise<void> {
  const { name } = Object(body) as { name?: unknown };
  if (method !== 'POST' || path !== '/services' || name !== 'svc0') return;
  for (let at = 1; at < 5; at++) {
    await fetch(`${adminUrl}/services`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...Object(body), name: `svc${String(at)}` }),
    });
  }
}

function jsonOf(text: string): unknown {
  if (text === '') return null;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** An offset names the last entity of a page by its id: it is another one each time. */
function learn(planned: unknown, seen: unknown, names: Map<string, string>): void {
  const before = (Object(planned) as { offset?: unknown }).offset;
  const now = (Object(seen) as { offset?: unknown }).offset;
  if (typeof before === 'string' && typeof now === 'string') names.set(before, now);
}

function renamed(path: string, names: ReadonlyMap<string, string>): string {
  let text = path;
  for (const [before, now] of names) text = text.replaceAll(before, now);
  return text;
}
