import { anyNumber, asText, wholeNumber } from './columns.ts';

export const eventColumns = [
  'e.seq',
  ...['id', 'source', 'event', 'payload'].map((name) => `${asText(`e.${name}`)} AS ${name}`),
  `${wholeNumber('e.at')} AS at`,
  `${wholeNumber('d.attempts')} AS attempts`,
].join(', ');
export const recordColumns = [
  eventColumns,
  `${wholeNumber('d.state', '3')} AS state`,
  ...['due', 'finished', 'status'].map((name) => `${wholeNumber(`d.${name}`, 'NULL')} AS ${name}`),
  `${anyNumber('d.latency')} AS latency`,
  ...['error', 'response'].map((name) => `${asText(`d.${name}`)} AS ${name}`),
].join(', ');
