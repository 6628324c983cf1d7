import { describe, expect, it } from 'vitest';
import { isUuid, uuidOf, uuidV5 } from '../../../src/base/uuid.ts';

describe('UUIDs', () => {
  it('are taken in either case and of any version', () => {
    expect(isUuid('6ba7b810-9dad-11d1-80b4-00c04fd430c8')).toBe(true);
    expect(isUuid('6BA7B810-9DAD-41D1-80B4-00C04FD430C8')).toBe(true);
    expect(isUuid('00000000-0000-0000-0000-000000000000')).toBe(true);
  });

  it.each(['', '6ba7b8109dad11d180b400c04fd430c8', ' 6ba7b810-9dad-11d1-80b4-00c04fd430c8', 7, null])(
    'are not %j',
    (value) => {
      expect(isUuid(value)).toBe(false);
    },
  );

  it('end with the text: a line end behind it makes another text', () => {
    expect(isUuid('6ba7b810-9dad-11d1-80b4-00c04fd430c8\n')).toBe(false);
  });

  it('of version 5 are those of RFC 9562, appendix A.4', () => {
    expect(uuidV5('6ba7b810-9dad-11d1-80b4-00c04fd430c8', 'www.example.com')).toBe(
      '2ed6657d-e927-568b-95e1-2665a8aea6a2',
    );
  });

  it('of a text are the same each time and differ between texts', () => {
    expect(uuidOf('/usr/local/kong')).toBe(uuidOf('/usr/local/kong'));
    expect(uuidOf('/usr/local/kong')).not.toBe(uuidOf('/usr/local/kong2'));
    expect(uuidOf('')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    // What the sandbox has given to its nodes since its first version.
    expect(uuidOf('prefix')).toBe('e7a2e8b2-16e5-5ec3-bacf-743962d3997f');
  });
});
