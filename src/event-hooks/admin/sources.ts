import { answer, missing, ref } from './endpoint.ts';
import type { Endpoint, Json } from './endpoint.ts';
import { notFound } from './hooks.ts';

const mapOf = (items: Json): Json => ({ type: 'object', additionalProperties: items });
const underData = (data: Json): Json => ({ type: 'object', properties: { data }, required: ['data'] });

/** What can be hooked. */
export const sourceEndpoints: readonly Endpoint[] = [
  {
    method: 'GET',
    path: '/event-hooks/sources',
    summary: 'What can be hooked',
    answers: { 200: answer('Sources and events.', underData(mapOf(mapOf(ref('EventInfo'))))) },
    handle: ({ dispatcher }) => ({ data: dispatcher.sources.all() }),
  },
  {
    method: 'GET',
    path: '/event-hooks/sources/:source',
    summary: 'Events of a source',
    answers: { 200: answer('Its events.', underData(mapOf(ref('EventInfo')))), ...missing },
    handle: ({ dispatcher: { sources } }, { params }, reply) => {
      const events = sources.source(params.source ?? '');
      return events === undefined ? notFound(reply) : { data: events };
    },
  },
  {
    method: 'GET',
    path: '/event-hooks/sources/:source/:event',
    summary: 'One event',
    answers: { 200: answer('The event.', underData(ref('EventInfo'))), ...missing },
    handle: ({ dispatcher: { sources } }, { params }, reply) => {
      const event = sources.find(params.source ?? '', params.event ?? '');
      return event === undefined ? notFound(reply) : { data: event };
    },
  },
];
