import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import type { BrowserContext } from 'playwright-core';

const places = [
  process.env['KONG_TS_CHROMIUM'] ?? '',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
];
/** The Chromium of this machine; null: there is none. */
export const chromiumPath = places.find((place) => place !== '' && existsSync(place)) ?? null;

const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

type Options = NonNullable<Parameters<typeof chromium.launchPersistentContext>[1]>;

/** A Chromium without a window that asks nobody for anything. @param profile an empty folder of its own */
export const launchChromium = (profile: string, options: Options = {}): Promise<BrowserContext> =>
  chromium.launchPersistentContext(profile, {
    executablePath: chromiumPath ?? '/usr/bin/chromium',
    args,
    ...options,
  });
