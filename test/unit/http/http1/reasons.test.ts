import { expect, test } from 'vitest';
import { ownStatusLine } from '../../../../src/http/http1/reasons.ts';

test.each([
  [200, '200 OK'],
  [302, '302 Moved Temporarily'],
  [413, '413 Request Entity Too Large'],
  [418, '418 '],
  [426, '426 '],
  [503, '503 Service Temporarily Unavailable'],
  [504, '504 Gateway Time-out'],
  [599, '599 '],
  [99, '099 '],
])('%i is said as nginx says it: "%s"', (status, line) => expect(ownStatusLine(status)).toBe(line));
