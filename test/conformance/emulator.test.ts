/** Which QEMU the live suite takes: the one in the path, or what LPAE_QEMU names. */
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { findQemu } from './qemu/emulator.ts';
import { survivesStage2Denial } from './qemu/settings.ts';

afterEach(() => vi.unstubAllEnvs());

/** A program that says to be a QEMU. */
function programSaying(version: string): string {
  const path = join(mkdtempSync(join(tmpdir(), 'lpae-qemu-')), 'qemu-system-aarch64');
  writeFileSync(path, `#!/bin/sh\n[ "$1" = --version ] && echo "QEMU emulator version ${version}"\n`);
  chmodSync(path, 0o755);
  return path;
}

test.each([
  ['7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)', '7.2.22', 702, true],
  ['10.0.13 (Debian 1:10.0.13+ds-0+deb13u1)', '10.0.13', 1000, false],
] as const)('LPAE_QEMU names a program, which says its version: %s', (said, version, release, survives) => {
  const path = programSaying(said);
  vi.stubEnv('LPAE_QEMU', path);
  expect(findQemu()).toEqual({ path, version, release });
  expect(survivesStage2Denial(findQemu()!)).toBe(survives);
});

test('without a program there is no QEMU, which CI does not take', () => {
  vi.stubEnv('LPAE_QEMU', join(tmpdir(), 'no-such-program'));
  vi.stubEnv('CI', undefined);
  expect(findQemu()).toBeUndefined();
  vi.stubEnv('CI', '1');
  expect(findQemu).toThrow(/no-such-program does not run/);
});
