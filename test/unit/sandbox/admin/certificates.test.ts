import { afterAll, beforeAll, expect, test } from 'vitest';
import { cert, key, otherKey } from './pem.ts';
import { startAdmin } from './setup.ts';
import type { Admin } from './setup.ts';

let admin: Admin;
beforeAll(async () => {
  admin = await startAdmin();
});
afterAll(() => admin.close());

test('certificates carry their snis and are found by them', async () => {
  const made = await admin.call('POST', '/certificates', {
    cert,
    key,
    snis: ['b.example.com', 'a.example.com'],
  });
  expect(made).toMatchObject({
    status: 201,
    body: { snis: ['a.example.com', 'b.example.com'], cert_alt: null },
  });
  const id = String(made.body['id']);
  expect((await admin.call('GET', '/certificates/a.example.com')).body).toEqual(made.body);
  expect((await admin.call('GET', '/certificates')).body['data']).toEqual([made.body]);
  expect((await admin.call('GET', '/certificates/none.example.com')).body).toEqual({
    message: 'SNI not found',
  });
  expect((await admin.call('GET', '/snis/a.example.com')).body).toMatchObject({ certificate: { id } });
  expect((await admin.call('GET', `/certificates/${id}/snis`)).body['data']).toHaveLength(2);
  const taken = await admin.call('POST', '/certificates', { cert, key, snis: ['a.example.com'] });
  expect(taken.body['message']).toBe(
    `schema violation (snis: a.example.com already associated with existing certificate '${id}')`,
  );
  const patched = await admin.call('PATCH', `/certificates/${id}`, { snis: ['c.example.com'] });
  expect(patched.body['snis']).toEqual(['c.example.com']);
  const put = await admin.call('PUT', '/certificates/d.example.com', { cert, key });
  expect(put).toMatchObject({ status: 200, body: { snis: ['d.example.com'] } });
  expect((await admin.call('DELETE', `/certificates/${id}`)).status).toBe(204);
  expect((await admin.call('GET', '/snis')).body['data']).toMatchObject([{ name: 'd.example.com' }]);
});

test('a key that is not the certificate’s, and text that is neither', async () => {
  const wrong = await admin.call('POST', '/certificates', { cert, key: otherKey });
  expect(wrong.body).toMatchObject({
    message: 'schema violation (certificate does not match key)',
    fields: { '@entity': ['certificate does not match key'] },
  });
  const bad = await admin.call('POST', '/certificates', { cert: 'x', key: 'y' });
  expect(bad.body['fields']).toMatchObject({
    cert: expect.stringMatching(/^invalid certificate: /) as string,
    key: expect.stringMatching(/^invalid key: /) as string,
  });
});
