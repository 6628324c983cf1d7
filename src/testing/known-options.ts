import { nearest } from '../base/nearest.ts';
import type { RequestDescription, ResponseDescription } from './description.ts';
import type { InstanceOptions, RequestOptions } from './kong/fake-instance.ts';
import { misuse } from './misuse.ts';

/** Names of options, each of them: the compiler says when one is missing. */
export type Names<Options> = { readonly [Name in keyof Required<Options>]: true };

const requestOptions: Names<RequestOptions> = {
  request: true,
  route: true,
  service: true,
  consumer: true,
  credential: true,
  consumers: true,
  leftByLua: true,
  response: true,
  workspace: true,
  subsystem: true,
  bodyBufferBytes: true,
  override: true,
};
const instanceOptions: Names<InstanceOptions> = {
  config: true,
  protocol: true,
  pluginId: true,
  instanceName: true,
  scope: true,
  workspaceId: true,
};
const request: Names<RequestDescription> = {
  method: true,
  url: true,
  scheme: true,
  host: true,
  port: true,
  path: true,
  query: true,
  headers: true,
  body: true,
  clientIp: true,
  clientPort: true,
  httpVersion: true,
  sni: true,
  trusted: true,
};
const response: Names<ResponseDescription> = { status: true, headers: true, body: true };

/**
 * @param more the options of testPlugin that no request and no instance has
 * @throws KongTsError TEST_MISUSE for an unknown option of testPlugin, or of its request or response
 */
export function checkTestOptions(options: RequestOptions, more: Readonly<Record<string, true>>): void {
  refuseUnknown('testPlugin', options, { ...requestOptions, ...instanceOptions, ...more });
  checkParts(options);
}

/** @throws KongTsError TEST_MISUSE for an unknown option of a request */
export function checkRequestOptions(options: RequestOptions): void {
  refuseUnknown('request', options, requestOptions);
  checkParts(options);
}

function checkParts(options: RequestOptions): void {
  refuseUnknown('request', options.request ?? {}, request);
  refuseUnknown('response', options.response ?? {}, response);
}

function refuseUnknown(what: string, given: object, known: Readonly<Record<string, true>>): void {
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(known, name));
  if (unknown === undefined) return;
  const names = Object.keys(known);
  const meant = nearest(unknown, names);
  throw misuse(
    `${what} has no option "${unknown}".`,
    meant === null ? `Known are ${names.join(', ')}.` : `Did you mean ${meant}?`,
  );
}
