/** A real browser for what is made for one: Debian's Chromium, or what the environment variable LPAE_CHROMIUM names. */
import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const PATH = process.env.LPAE_CHROMIUM ?? '/usr/bin/chromium';

/**
 * Whether there is one.
 * @throws Error where there is none and the environment variable CI is set: there pages may not go unseen.
 */
export function hasBrowser(): boolean {
  if (existsSync(PATH)) return true;
  if (process.env.CI) throw new Error(`CI must look at pages in a browser, and there is no ${PATH}`);
  return false;
}

/** Starts it. A container's root has no sandbox to offer; the pages are ours. What ends a server that a test has started does not end the browser. */
export function startBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: PATH, args: ['--no-sandbox'], handleSIGINT: false });
}
