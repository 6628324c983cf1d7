import { z } from 'zod';
import { endpoints } from '../../../src/event-hooks/admin/endpoints.ts';
import { openApiDocument } from '../../../src/event-hooks/admin/openapi.ts';
import type { KindSet } from '../../../src/event-hooks/model/kind-set.ts';

type Json = Record<string, unknown>;
interface Document {
  paths: Record<
    string,
    Record<string, { responses: Record<string, { content?: Record<string, { schema: Json }> }> }>
  >;
  components: { schemas: Record<string, Json> };
}

type CheckAnswer = (method: string, url: string, status: number, type: string, body: unknown) => void;

/** Checks answers against the OpenAPI document of these kinds of handler. */
export function answerChecker(kinds: KindSet): CheckAnswer {
  const document = openApiDocument(kinds, endpoints) as unknown as Document;
  return (...answer) => {
    checkAnswer(document, ...answer);
  };
}

/** Checks an answer against the OpenAPI document; throws naming what differs. */
function checkAnswer(
  document: Document,
  ...[method, url, status, type, body]: Parameters<CheckAnswer>
): void {
  if ([401, 403, 405, 503].includes(status)) return;
  const path = (url.split('?')[0] ?? '').replace(/^\/[^/]+(?=\/event-hooks)/, '');
  const known = Object.keys(document.paths).sort(
    (a, b) => (a.match(/\{/g)?.length ?? 0) - (b.match(/\{/g)?.length ?? 0),
  );
  const template = known.find((one) => new RegExp(`^${one.replace(/\{\w+\}/g, '[^/]+')}$`).test(path));
  if (template === undefined) {
    if (status === 404) return;
    throw new Error(`${path} is not in the OpenAPI document`);
  }
  const response = document.paths[template]?.[method.toLowerCase()]?.responses[String(status)];
  if (response === undefined)
    throw new Error(`${method} ${template}: ${String(status)} is not in the OpenAPI document`);
  const schema = response.content?.['application/json']?.schema;
  if (schema === undefined) return;
  if (!type.startsWith('application/json')) throw new Error(`${method} ${path}: content type ${type}`);
  const components = JSON.parse(
    JSON.stringify(document.components.schemas).replaceAll('#/components/schemas/', '#/$defs/'),
  ) as Json;
  const whole = JSON.parse(JSON.stringify(schema).replaceAll('#/components/schemas/', '#/$defs/')) as Json;
  z.fromJSONSchema({ ...whole, $defs: components } as Parameters<typeof z.fromJSONSchema>[0]).parse(body);
}
