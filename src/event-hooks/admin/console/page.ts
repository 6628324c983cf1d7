import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Access } from '../access/access.ts';
import type { PageFiles } from './page-files.ts';

/** Whether a path is the console's. A workspace of Kong may have the same name, so its other paths are left to Kong. */
export const isConsolePath = (url: string): boolean =>
  /^\/console(?:\/(?:assets\/[^?]*|[\w-]+\.\w+)?)?(?:\?|$)/.test(url);

/** What every answer of the page says to a browser: nothing from elsewhere, nothing inline, in nobody's frame. */
const headers: Readonly<Record<string, string>> = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "font-src 'self'",
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy':
    'accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), usb=()',
};

/** Adds the console: files that hold no data, and so need no login. */
export function addConsole(app: FastifyInstance, files: PageFiles, access: Access): void {
  const handler = (
    request: FastifyRequest<{ Params: { '*'?: string } }>,
    reply: FastifyReply,
  ): FastifyReply => {
    void reply.headers(headers);
    const refusal = access.pageRefusal(request.headers);
    if (refusal !== null) return say(reply, 403, refusal);
    const [path = ''] = request.url.split('?', 1);
    if (path === '/console') return reply.redirect('/console/', 308);
    if (!files.isBuilt)
      return say(reply, 503, 'The console was not built: run "npm run build" in the folder of kong-ts.');
    return sendFile(request, reply, files, path.slice('/console/'.length));
  };
  const config = { isPage: true } as const;
  for (const url of ['/console', '/console/*'])
    app.route<{ Params: { '*'?: string } }>({ method: 'GET', url, config, handler });
}

function sendFile(
  request: FastifyRequest,
  reply: FastifyReply,
  files: PageFiles,
  path: string,
): FastifyReply {
  const file = files.get(path);
  if (file === null) return say(reply, 404, 'Not found');
  const { body, type, etag, isImmutable } = file;
  void reply
    .header('etag', etag)
    .header('cache-control', isImmutable ? 'public, max-age=31536000, immutable' : 'no-cache');
  const asked = (request.headers['if-none-match'] ?? '')
    .split(',')
    .map((one) => one.trim().replace(/^W\//, ''));
  if (asked.includes(etag) || asked.includes('*')) return reply.code(304).send();
  return reply.type(type).send(body);
}

const say = (reply: FastifyReply, status: number, text: string): FastifyReply =>
  reply.code(status).header('cache-control', 'no-store').type('text/plain; charset=utf-8').send(text);
