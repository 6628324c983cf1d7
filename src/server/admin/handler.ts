import type { IncomingMessage, RequestListener } from 'node:http';
import { messageOf } from '../../base/errors.ts';
import type { Callers } from '../../http/index.ts';
import { door } from '../../http/index.ts';
import type { DumpDocument } from '../../plugin/index.ts';
import type { PluginReport, ReloadResult, ServerStatus } from './status.ts';
import { isHealthy } from './status.ts';

/** What the admin listeners show and do. */
export interface AdminSource {
  status(): ServerStatus;
  metrics(): Promise<{ type: string; text: string }>;
  /** The last hour of plugins, and what has failed in it. */
  plugins(): Promise<PluginReport>;
  reload(): Promise<ReloadResult>;
  /** What Kong reads of each plugin that is loaded; null while none is. */
  dump(): Promise<readonly DumpDocument[] | null>;
}

export interface AdminDoor {
  /** The control socket, which only its owner can open, takes `POST /reload`, too. */
  readonly control: boolean;
  /** Which callers a TCP listener takes; null: everybody who can connect. */
  readonly callers: Callers | null;
}

/** Answers `/health`, `/status` and `/metrics`, and on the control socket `GET /dump`, `GET /plugins` and `POST /reload`. */
export function adminHandler(source: AdminSource, { control, callers }: AdminDoor): RequestListener {
  return door(callers, (request, response) => {
    answer(source, control, request)
      .catch((error: unknown) => json(500, { message: messageOf(error) }))
      .then(({ status, type, text }) => {
        response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) });
        response.end(request.method === 'HEAD' ? undefined : text);
      })
      .catch(() => {
        response.destroy();
      });
  });
}

interface Answer {
  status: number;
  type: string;
  text: string;
}

async function answer(source: AdminSource, control: boolean, request: IncomingMessage): Promise<Answer> {
  const path = (request.url ?? '/').split('?', 1)[0];
  const reading = request.method === 'GET' || request.method === 'HEAD';
  if (path === '/reload' && control) {
    if (request.method !== 'POST') return json(405, { message: 'Method not allowed' });
    return json(200, await source.reload());
  }
  if (path === '/plugins' && control && reading) return json(200, await source.plugins());
  const dump = path === '/dump' && control;
  if (!dump && path !== '/health' && path !== '/status' && path !== '/metrics') {
    return json(404, { message: 'Not found' });
  }
  if (!reading) return json(405, { message: 'Method not allowed' });
  if (dump) return dumpAnswer(await source.dump());
  if (path === '/metrics') return { status: 200, ...(await source.metrics()) };
  const status = source.status();
  if (path === '/status') return json(200, status);
  const healthy = isHealthy(status);
  return json(healthy ? 200 : 503, { status: healthy ? 'ok' : 'unavailable', failures: status.failures });
}

function dumpAnswer(documents: readonly DumpDocument[] | null): Answer {
  if (documents === null) return json(503, { message: 'No plugins are loaded' });
  return json(200, { plugins: documents });
}

function json(status: number, body: unknown): Answer {
  return { status, type: 'application/json; charset=utf-8', text: `${JSON.stringify(body)}\n` };
}
