import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserContext } from 'playwright-core';
import { onTestFinished } from 'vitest';
import { chromiumPath, launchChromium } from '../../../scripts/console-browser.ts';

export { chromiumPath };

/** Stands beside the names of tests that are skipped without one. */
export const withoutChromium = 'in a Chromium (apt-get install chromium, or KONG_TS_CHROMIUM names one)';

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
  const context = await launchChromium(profile, {
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
