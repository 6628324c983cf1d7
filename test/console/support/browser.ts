import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import type { BrowserContext } from 'playwright-core';
import { onTestFinished } from 'vitest';

const places = [
  process.env['KONG_TS_CHROMIUM'] ?? '',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
];
/** null: there is none on this machine. */
export const chromiumPath = places.find((place) => place !== '' && existsSync(place)) ?? null;

/** Stands beside the names of tests that are skipped without one. */
export const withoutChromium = 'in a Chromium (apt-get install chromium, or KONG_TS_CHROMIUM names one)';

const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export interface Look {
  readonly theme?: 'light' | 'dark';
  readonly width?: number;
  readonly height?: number;
  readonly reducedMotion?: boolean;
}

/** A browser with a profile of its own, which ends with the test. */
export async function openBrowser({
  theme = 'light',
  width = 1280,
  height = 900,
  reducedMotion = false,
}: Look = {}): Promise<BrowserContext> {
  const profile = mkdtempSync(join(tmpdir(), 'kong-ts-chromium-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: chromiumPath ?? '',
    headless: true,
    args,
    viewport: { width, height },
    colorScheme: theme,
    reducedMotion: reducedMotion ? 'reduce' : 'no-preference',
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  context.setDefaultTimeout(20_000);
  onTestFinished(async () => {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  });
  return context;
}
