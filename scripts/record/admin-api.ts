import { setTimeout as sleep } from 'node:timers/promises';
import type { Gateway, Provenance } from '../gateways/gateway.ts';
import { provenanceOf } from '../gateways/gateway.ts';

export interface AdminExchange {
  readonly request: { readonly method: string; readonly path: string; readonly body?: unknown };
  readonly response: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string | null>>;
    readonly body: unknown;
  };
}

export interface AdminRecording extends Partial<Provenance> {
  readonly kong: string;
  readonly note: string;
  readonly exchanges: readonly AdminExchange[];
}

const pauseMs = 200;

/**
 * Sends the requests of a recording again, in their order, to an Admin API with an empty database.
 * @param healthMs how long health checks may take to see what the plan's Kong had seen, in milliseconds
 * @throws Error where there is no database, or something is in it
 */
export async function recordAdminApi(
  gateway: Gateway,
  plan: AdminRecording,
  healthMs = 5000,
): Promise<AdminRecording> {
  const provenance = await provenanceOf(gateway);
  await refuseUsed(gateway.adminUrl, provenance.database);
  /** What the plan's Kong called things, and what this one calls them. */
  const names = new Map<string, string>();
  const exchanges: AdminExchange[] = [];
  for (const { request, response } of plan.exchanges) {
    const path = renamed(request.path, names);
    const body = request.body === undefined ? {} : { body: JSON.stringify(request.body) };
    const ask = async (): Promise<AdminExchange['response']> => {
      const answer = await fetch(`${gateway.adminUrl}${path}`, {
        method: request.method,
        ...(request.body === undefined ? {} : { headers: { 'content-type': 'application/json' } }),
        ...body,
      });
      const headers = { 'content-type': answer.headers.get('content-type') };
      return { status: answer.status, headers, body: jsonOf(await answer.text()) };
    };
    let seen = await ask();
    for (
      let waited = 0;
      healthOf(seen.body) !== healthOf(response.body) && waited < healthMs;
      waited += pauseMs
    ) {
      await sleep(pauseMs);
      seen = await ask();
    }
    learn(response.body, seen.body, names);
    await seed(gateway.adminUrl, request);
    exchanges.push({ request: { ...request, path }, response: seen });
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
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** Of the first target of `GET /upstreams/NAME/health`: its health checks need a moment. Null in other answers. */
function healthOf(body: unknown): unknown {
  const { data } = Object(body) as { data?: unknown };
  const [first] = Array.isArray(data) ? (data as unknown[]) : [];
  return (Object(first) as { health?: unknown }).health ?? null;
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
