import type { FastifyReply } from 'fastify';
import { HookInvalidError } from '../model/errors.ts';
import { pageHeader } from './access/access.ts';
import type { Access, Caller } from './access/access.ts';
import { setCookie } from './access/session-cookie.ts';
import type { SessionAnswer } from './answers.ts';
import { answer, invalid, objectBody, ref } from './endpoint.ts';
import type { AdminRequest, Endpoint } from './endpoint.ts';

const session = { 200: answer('Who the caller is.', ref('Session')) };
const refused = { 403: answer('Another site has sent it, or the role may not.', ref('Message')) };

const show = (access: Access, { role, session, seesPayloads }: Caller): SessionAnswer => ({
  role,
  login: access.needsToken,
  payloads: seesPayloads,
  expires_at: session === null ? null : session.until / 1000,
  csrf_header: pageHeader,
});

/** A client behind a proxy that speaks https. Who claims so without cause gets a cookie that is sent less often. */
const isSecure = ({ headers }: AdminRequest): boolean => headers['x-forwarded-proto'] === 'https';

/** The console's login: a token is given once, and a cookie that no script can read stands for it. */
export const sessionEndpoints: readonly Endpoint[] = [
  {
    method: 'GET',
    path: '/event-hooks/session',
    summary: 'Who the caller is, and whether a token is needed',
    answers: session,
    isOpen: true,
    handle: ({ access }, request) => show(access, access.callerOf(request)),
  },
  {
    method: 'POST',
    path: '/event-hooks/session',
    summary: 'Begin a session: give the token, get a cookie',
    body: objectBody,
    answers: { ...session, ...invalid, ...refused },
    isOpen: true,
    handle: ({ access, dispatcher }, request, reply) => {
      const forgery = access.forgery({ by: 'nothing' }, request);
      if (forgery !== null) return refuse(reply, ...forgery);
      const { token } = (request.body ?? {}) as { token?: unknown };
      if (typeof token !== 'string')
        throw new HookInvalidError([{ path: 'token', text: 'required field missing' }]);
      if (!access.needsToken) return show(access, access.callerOf(request));
      const role = access.roleOf(token);
      if (role === null) return refuse(reply, 401, 'This token is not known here.');
      const begun = access.cookies.begin(role, dispatcher.options.clock.now());
      void reply.header('set-cookie', setCookie(begun.value, isSecure(request)));
      const [cookie = ''] = setCookie(begun.value, false).split(';', 1);
      return show(access, access.callerOf({ method: 'GET', headers: { cookie } }));
    },
  },
  {
    method: 'DELETE',
    path: '/event-hooks/session',
    summary: 'End the session',
    answers: { 204: answer('It is over.'), ...refused },
    isOpen: true,
    handle: ({ access, dispatcher }, request, reply) => {
      const caller = access.callerOf(request);
      const forgery = access.forgery(caller, request);
      if (forgery !== null) return refuse(reply, ...forgery);
      if (caller.session !== null) access.cookies.end(caller.session, dispatcher.options.clock.now());
      void reply.header('set-cookie', setCookie('', isSecure(request)));
      return undefined;
    },
  },
];

const refuse = (reply: FastifyReply, status: number, message: string): FastifyReply =>
  reply.code(status).send({ message });
